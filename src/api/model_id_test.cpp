#include "api/model_id.hpp"

#include <gtest/gtest.h>

namespace orch::api {
namespace {

const std::string kDigits(64, 'a');

TEST(ModelId, IsOnePathSegment) {
    for (const char* const good : {"tiny", "Qwen3-8B.Q4_K_M", "a", "_x", "0"}) {
        EXPECT_TRUE(valid_model_id(good)) << good;
    }
    for (const char* const bad :
         {"", ".", "..", ".hidden", "a/b", "../etc/passwd", "a b", "a\\b", "ä", "a%2fb"}) {
        EXPECT_FALSE(valid_model_id(bad)) << bad;
    }
    EXPECT_FALSE(valid_model_id(std::string_view("a\0b", 3)));
}

TEST(ModelId, HasAtMost128Characters) {
    EXPECT_TRUE(valid_model_id(std::string(128, 'x')));
    EXPECT_FALSE(valid_model_id(std::string(129, 'x')));
}

TEST(ModelId, OfAFileIsItsNameWithoutTheEnding) {
    EXPECT_EQ(model_id_of_file("tiny.gguf"), "tiny");
    EXPECT_EQ(model_id_of_file("my model (2).gguf"), "my-model--2-");
    EXPECT_EQ(model_id_of_file("weights"), "weights");
    EXPECT_FALSE(model_id_of_file(".gguf"));
    EXPECT_FALSE(model_id_of_file(".hidden.gguf"));
}

TEST(ModelDigest, IsTakenInTheFormsThatPeopleHave) {
    EXPECT_EQ(parse_digest("sha256:" + kDigits, "digest"), "sha256:" + kDigits);
    EXPECT_EQ(parse_digest(std::string(64, 'A'), "digest"), "sha256:" + kDigits);
    EXPECT_EQ(parse_digest("SHA256:" + kDigits, "digest"), "sha256:" + kDigits);
}

TEST(ModelDigest, NamesTheFieldThatIsWrong) {
    for (const std::string& bad :
         {std::string(), std::string("md5:") + kDigits, std::string(63, 'a'), std::string(64, 'g')
         }) {
        const auto digest = parse_digest(bad, "model.digest");
        ASSERT_FALSE(digest) << bad;
        EXPECT_TRUE(digest.error().message.starts_with("model.digest: ")) << digest.error().message;
    }
}

}  // namespace
}  // namespace orch::api
