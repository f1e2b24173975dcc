#include "node/models/model_index.hpp"

#include <gtest/gtest.h>

namespace orch::node::models {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

ModelRecord staged(std::string id) {
    ModelRecord record;
    record.id = std::move(id);
    record.file = blob_name(kDigest);
    record.digest = kDigest;
    record.bytes = 7;
    return record;
}

ModelRecord dropped(std::string id) {
    ModelRecord record;
    record.file = id + ".gguf";
    record.id = std::move(id);
    return record;
}

std::string why(std::string_view text) {
    const auto index = ModelIndex::parse(text);
    return index ? "accepted" : index.error().message;
}

TEST(ModelIndex, SurvivesItsOwnText) {
    ModelIndex index;
    index.put(staged("tiny"));
    index.put(dropped("mine")).error = "bad bytes";
    const auto again = ModelIndex::parse(index.text());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->text(), index.text());
    EXPECT_EQ(again->find("tiny")->bytes, 7U);
    EXPECT_EQ(again->find("mine")->error, "bad bytes");
}

TEST(ModelIndex, TwoIdsMayShareOneFile) {
    ModelIndex index;
    index.put(staged("a"));
    EXPECT_FALSE(index.is_shared(*index.find("a")));
    index.put(staged("b"));
    EXPECT_TRUE(index.is_shared(*index.find("a")));
    index.erase("b");
    EXPECT_FALSE(index.is_shared(*index.find("a")));
}

TEST(ModelIndex, RefusesWhatNoStoreWrites) {
    const auto one = [](const std::string& id, const std::string& file, const std::string& more) {
        return R"({"version":1,"models":[{"id":")" + id + R"(","file":")" + file + "\"" + more +
               "}]}";
    };
    EXPECT_EQ(why(one("a", "a.gguf", "")), "accepted");
    EXPECT_TRUE(why(one("../a", "a.gguf", "")).starts_with("models[0].id: "));
    EXPECT_TRUE(why(one("a", "../../etc/passwd", "")).starts_with("models[0].file: "));
    EXPECT_TRUE(why(one("a", "/etc/x.gguf", "")).starts_with("models[0].file: "));
    EXPECT_TRUE(why(one("a", "blobs/../../x.gguf", "")).starts_with("models[0].file: "));
    EXPECT_TRUE(why(one("a", "blobs/sha256-1", "")).starts_with("models[0].file: "));
    EXPECT_TRUE(why(one("a", "a.gguf", R"(,"digest":"sha256:1")")).starts_with("models[0].digest: ")
    );
    EXPECT_TRUE(why(one("a", "a.gguf", R"(,"state":"staging")")).starts_with("models[0].state: "));
    EXPECT_TRUE(why(R"({"version":2,"models":[]})").starts_with("version: "));
    EXPECT_TRUE(why("").contains("JSON") || !why("").empty());
    EXPECT_EQ(
        why(R"({"version":1,"models":[{"id":"a","file":"a.gguf"},{"id":"a","file":"a.gguf"}]})"),
        "models[1].id: is there twice"
    );
}

}  // namespace
}  // namespace orch::node::models
