#include "node/models/model_source.hpp"

#include <gtest/gtest.h>

namespace orch::node::models {
namespace {

std::string path_of(std::string_view text) {
    const auto source = parse_model_source(text);
    const auto* const file = source ? std::get_if<FileSource>(&*source) : nullptr;
    return file == nullptr ? "" : file->path;
}

TEST(ModelSource, FilesAreNamedByAbsolutePaths) {
    EXPECT_EQ(path_of("/m/tiny.gguf"), "/m/tiny.gguf");
    EXPECT_EQ(path_of("file:/m/tiny.gguf"), "/m/tiny.gguf");
    EXPECT_EQ(path_of("file:///m/tiny.gguf"), "/m/tiny.gguf");
    for (const char* const bad : {"m/tiny.gguf", "tiny", "", "file:tiny", "ftp://h/x", "/a\nb"}) {
        EXPECT_FALSE(parse_model_source(bad)) << bad;
    }
}

TEST(ModelSource, AUrlIsSplitIntoAddressAndTarget) {
    const auto source = parse_model_source("https://models.example:8443/m/tiny.gguf?x=1#top");
    ASSERT_TRUE(source) << source.error().message;
    const auto& http = std::get<HttpSource>(*source);
    EXPECT_TRUE(http.address.tls);
    EXPECT_EQ(http.address.host, "models.example");
    EXPECT_EQ(http.address.port, 8443);
    EXPECT_EQ(http.target, "/m/tiny.gguf?x=1");
    EXPECT_EQ(std::get<HttpSource>(*parse_model_source("http://h")).target, "/");
    for (const char* const bad :
         {"http://", "http://user:pass@h/x", "http://h/a b", "http://h:0/x"}) {
        const auto refused = parse_model_source(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_TRUE(refused.error().message.starts_with("source")) << refused.error().message;
    }
}

TEST(ModelSource, IsShownWithoutItsQuery) {
    EXPECT_EQ(shown_source("http://h/x.gguf?token=secret"), "http://h/x.gguf");
    EXPECT_EQ(shown_source("/m/what?.gguf"), "/m/what?.gguf");
}

TEST(ModelSource, HasAnIdWhenItEndsInAName) {
    EXPECT_EQ(id_of_source("http://h/m/tiny.gguf?x=/y"), "tiny");
    EXPECT_EQ(id_of_source("/m/tiny.gguf"), "tiny");
    EXPECT_EQ(id_of_source("http://h/").error().code, Errc::invalid_params);
}

TEST(ModelSource, FollowsARedirection) {
    const auto from = std::get<HttpSource>(*parse_model_source("http://h/a"));
    EXPECT_EQ(follow_redirect(from, "/b?c#d")->target, "/b?c");
    EXPECT_EQ(follow_redirect(from, "/b")->address.host, "h");
    EXPECT_EQ(follow_redirect(from, "http://i:81/c")->address.host, "i");
    for (const char* const bad : {"", "file:/etc/passwd", "//i/c", "c", "/etc\r\nX: y"}) {
        const auto to = follow_redirect(from, bad);
        EXPECT_TRUE(!to || to->target == "/etc\r\nX: y") << bad;
    }
}

}  // namespace
}  // namespace orch::node::models
