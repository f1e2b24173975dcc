#include "api/handoff_file.hpp"

#include "base/json.hpp"

#include <gtest/gtest.h>

namespace orch::api {
namespace {

using Kind = HandoffRejection::Kind;

std::string with(std::string_view extra) {
    return R"({"pool_id":"p","replica_id":"r0","engine":"llamacpp","url":"http://127.0.0.1:8090")" +
           std::string(extra) + "}";
}

HandoffRejection rejected(const std::string& text) {
    auto file = parse_handoff_file(text);
    EXPECT_FALSE(file) << text;
    return file ? HandoffRejection{} : file.error();
}

TEST(HandoffFile, NeedsFourFieldsOnly) {
    const auto file = parse_handoff_file(with(""));
    ASSERT_TRUE(file);
    EXPECT_EQ(file->pool_id.str(), "p");
    EXPECT_EQ(file->replica_id.str(), "r0");
    EXPECT_EQ(file->engine, EngineFamily::llamacpp);
    EXPECT_EQ(file->url, "http://127.0.0.1:8090");
    EXPECT_FALSE(file->slots_total);
    EXPECT_FALSE(file->pid);
}

TEST(HandoffFile, NamesTheMissingField) {
    EXPECT_EQ(
        rejected(R"({"pool_id":"p","replica_id":"r0","engine":"llamacpp"})").reason,
        "url: is missing"
    );
    EXPECT_EQ(rejected(R"({"url":"http://a:1"})").kind, Kind::malformed);
}

TEST(HandoffFile, ReadsSlotsInBothForms) {
    EXPECT_EQ(parse_handoff_file(with(R"(,"slots":4)"))->slots_total, 4U);
    EXPECT_EQ(parse_handoff_file(with(R"(,"slots":4,"slots_total":2)"))->slots_total, 2U);
    const auto clamped = parse_handoff_file(with(R"(,"slots_total":2,"slots_free":9)"));
    EXPECT_EQ(clamped->slots_free, 2U);
}

TEST(HandoffFile, TellsOtherSchemasFromBrokenFiles) {
    const char* const provisioner =
        R"({"model":{"id":"m","path":"/m.gguf"},"metadata":{"size_bytes":1,"ctx_max":null}})";
    EXPECT_EQ(rejected(provisioner).kind, Kind::other_schema);
    EXPECT_EQ(rejected("{}").kind, Kind::other_schema);
    EXPECT_EQ(rejected("[1]").kind, Kind::other_schema);
    EXPECT_EQ(rejected("").kind, Kind::malformed);
    EXPECT_EQ(rejected(with("").substr(0, 40)).kind, Kind::malformed);
}

TEST(HandoffFile, ChecksFields) {
    for (const char* text :
         {R"({"pool_id":"a/b","replica_id":"r0","engine":"vllm","url":"http://a:1"})",
          R"({"pool_id":"p","replica_id":"","engine":"vllm","url":"http://a:1"})",
          R"({"pool_id":"p","replica_id":"r0","engine":"cuda","url":"http://a:1"})",
          R"({"pool_id":"p","replica_id":"r0","engine":"vllm","url":"a:1"})",
          R"({"pool_id":7,"replica_id":"r0","engine":"vllm","url":"http://a:1"})"}) {
        EXPECT_EQ(rejected(text).kind, Kind::malformed) << text;
    }
    EXPECT_EQ(rejected(with(R"(,"slots":"4")")).kind, Kind::malformed);
    EXPECT_EQ(rejected(with(R"(,"slots":0)")).kind, Kind::malformed);
    EXPECT_EQ(rejected(with(R"(,"pid":-1)")).kind, Kind::malformed);
}

TEST(HandoffFile, WritesWhatBothReadersUnderstand) {
    HandoffFile file;
    file.pool_id = PoolId("chat");
    file.replica_id = ReplicaId("r1");
    file.engine = EngineFamily::vllm;
    file.url = "http://127.0.0.1:9000";
    file.slots_total = 4;
    file.model = HandoffModel{std::nullopt, "/models/q.gguf"};
    file.flags = {"--flash-attn", "on"};
    const std::string text = to_json(file);
    EXPECT_EQ(json::parse(text)->at("slots").to_number<int>(), 4);
    const auto again = parse_handoff_file(text);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->engine, EngineFamily::vllm);
    EXPECT_EQ(again->slots_total, 4U);
    EXPECT_EQ(again->model->path, "/models/q.gguf");
    EXPECT_EQ(again->flags, file.flags);
}

TEST(HandoffFile, IsNamedAfterPoolAndReplica) {
    EXPECT_EQ(handoff_file_name(PoolId("chat"), ReplicaId("r0")), "chat-r0.json");
}

}  // namespace
}  // namespace orch::api
