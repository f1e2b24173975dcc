#include "api/task_submit.hpp"

#include "api/json_fingerprint.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace orch::api {
namespace {

Error refusal(std::string_view body) {
    const auto message = from_json<TaskSubmit>(body);
    EXPECT_FALSE(message) << body;
    return message ? Error{} : message.error();
}

// A good task with one more field.
std::string with(std::string_view field) {
    return fmt::format(R"({{"model":"m","prompt":"p",{}}})", field);
}

std::string body_of(std::string_view text) {
    const auto message = from_json<TaskSubmit>(text);
    EXPECT_TRUE(message) << (message ? "" : message.error().message);
    return message ? make_engine_call(*message).body : "";
}

TEST(TaskSubmit, NeedsAModelAndOneInput) {
    EXPECT_TRUE(from_json<TaskSubmit>(R"({"model_ref":"m","prompt":""})"));
    EXPECT_TRUE(from_json<TaskSubmit>(R"({"model":"m","model_ref":"m","inputs":["a"]})"));
    EXPECT_TRUE(refusal(R"({"prompt":"p"})").message.starts_with("model_ref: "));
    EXPECT_TRUE(refusal(R"({"model":"m"})").message.starts_with("prompt: "));
    EXPECT_TRUE(
        refusal(R"({"model":"m","prompt":"p","inputs":["a"]})").message.starts_with("prompt: ")
    );
    EXPECT_TRUE(refusal(R"({"model":"m","messages":[{"role":"user"}],"inputs":["a"]})")
                    .message.starts_with("messages: "));
    EXPECT_TRUE(
        refusal(R"({"model":"m","model_ref":"n","prompt":"p"})").message.starts_with("model: ")
    );
    EXPECT_TRUE(refusal("[]").message.contains("must be an object"));
    EXPECT_TRUE(refusal("{").message.contains("JSON"));
}

TEST(TaskSubmit, ADeadlineThatIsOverIsRefusedAsSuch) {
    EXPECT_EQ(refusal(with(R"("deadline_ms":0)")).code, Errc::deadline_unmet);
    EXPECT_EQ(refusal(with(R"("deadline_ms":-5)")).code, Errc::deadline_unmet);
    EXPECT_TRUE(from_json<TaskSubmit>(with(R"("deadline_ms":1)")));
}

TEST(TaskSubmit, EveryWrongFieldIsNamed) {
    const std::pair<const char*, const char*> wrong[] = {
        {"task_id", R"("task_id":7)"},
        {"task_id", R"("task_id":"a b")"},
        {"session_id", R"("session_id":[])"},
        {"session_id", R"("session_id":"")"},
        {"workload", R"("workload":1)"},
        {"workload", R"("workload":"chat")"},
        {"workload", R"("workload":"embedding")"},
        {"engine", R"("engine":{})"},
        {"engine", R"("engine":"ollama")"},
        {"ctx", R"("ctx":-1)"},
        {"ctx", R"("ctx":32769)"},
        {"ctx", R"("ctx":"8")"},
        {"priority", R"("priority":"urgent")"},
        {"priority", R"("priority":0)"},
        {"max_tokens", R"("max_tokens":0)"},
        {"max_tokens", R"("max_tokens":50001)"},
        {"max_tokens", R"("max_tokens":1.5)"},
        {"deadline_ms", R"("deadline_ms":"soon")"},
        {"seed", R"("seed":"x")"},
        {"determinism", R"("determinism":"maybe")"},
        {"sampler_profile_version", R"("sampler_profile_version":1)"},
        {"query", R"("query":"q")"},
        {"query", R"("query":9)"},
        {"expected_tokens", R"("expected_tokens":-1)"},
        {"kv_hint", R"("kv_hint":"warm")"},
        {"output_mode", R"("output_mode":5)"},
        {"temperature", R"("temperature":-0.1)"},
        {"temperature", R"("temperature":"hot")"},
        {"top_p", R"("top_p":1.1)"},
        {"stop", R"("stop":3)"},
        {"stop", R"("stop":["a",1])"},
        {"placement", R"("placement":"gpu")"},
        {"placement.mode", R"("placement":{"mode":"best"})"},
        {"placement.pin_pool_id", R"("placement":{"mode":"pin"})"},
        {"placement.pin_pool_id", R"("placement":{"mode":"auto","pin_pool_id":"a"})"},
        {"placement.pin_pool_id", R"("placement":{"pin_pool_id":"a/b"})"},
        {"placement.node_id", R"("placement":{"node_id":""})"},
        {"placement.prefer_pools", R"("placement":{"mode":"prefer"})"},
        {"placement.prefer_pools[1]", R"("placement":{"prefer_pools":["a",""]})"},
        {"placement.prefer_pools", R"("placement":{"prefer_pools":"a"})"},
        {"placement.avoid_pools[0]", R"("placement":{"avoid_pools":[1]})"},
        {"placement.labels", R"("placement":{"labels":["a"]})"},
        {"placement.labels", R"("placement":{"labels":{"a b":"c"}})"},
        {"placement.require_device_mask", R"("placement":{"require_device_mask":""})"},
        {"placement.allow_fallback", R"("placement":{"allow_fallback":"yes"})"},
    };
    for (const auto& [path, field] : wrong) {
        const Error error = refusal(with(field));
        EXPECT_EQ(error.code, Errc::invalid_params) << field;
        EXPECT_TRUE(error.message.starts_with(std::string(path) + ": "))
            << field << " -> " << error.message;
    }
}

TEST(TaskSubmit, InputsAreChecked) {
    const std::pair<const char*, const char*> wrong[] = {
        {"messages", R"({"model":"m","messages":[]})"},
        {"messages", R"({"model":"m","messages":"hi"})"},
        {"messages[0]", R"({"model":"m","messages":["hi"]})"},
        {"messages[1].role", R"({"model":"m","messages":[{"role":"user"},{"role":1}]})"},
        {"inputs", R"({"model":"m","inputs":[]})"},
        {"inputs[1]", R"({"model":"m","inputs":["a",""]})"},
        {"inputs[0]", R"({"model":"m","inputs":[1]})"},
        {"prompt", R"({"model":"m","prompt":["a"]})"},
        {"query", R"({"model":"m","inputs":["a"],"workload":"rerank"})"},
        {"workload", R"({"model":"m","inputs":["a"],"workload":"completion"})"},
        {"model_ref", R"({"model_ref":"","prompt":"a"})"},
        {"model_ref", R"({"model_ref":5,"prompt":"a"})"},
    };
    for (const auto& [path, body] : wrong) {
        const Error error = refusal(body);
        EXPECT_TRUE(error.message.starts_with(std::string(path) + ": "))
            << body << " -> " << error.message;
    }
}

TEST(TaskSubmit, MessagesBecomeAStreamedChat) {
    const auto message = from_json<TaskSubmit>(
        R"({"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9,"seed":4,"stop":"x"})"
    );
    ASSERT_TRUE(message);
    const EngineCall call = make_engine_call(*message);
    EXPECT_EQ(call.path, "/v1/chat/completions");
    EXPECT_EQ(
        json_fingerprint(call.body).value(),
        json_fingerprint(
            R"({"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.0E0,"top_p":1.0E0,
                "max_tokens":9,"seed":4,"stop":"x","stream":true,"stream_options":{"include_usage":true}})"
        )
            .value()
    ) << call.body;
}

TEST(TaskSubmit, APromptBecomesACompletion) {
    const auto message = from_json<TaskSubmit>(with(R"("temperature":0.5)"));
    ASSERT_TRUE(message);
    const EngineCall call = make_engine_call(*message);
    EXPECT_EQ(call.path, "/v1/completions");
    EXPECT_TRUE(call.body.contains(R"("prompt":"p")")) << call.body;
    EXPECT_TRUE(call.body.contains(R"("temperature":5E-1)")) << call.body;
    EXPECT_FALSE(call.body.contains("max_tokens"));
}

TEST(TaskSubmit, ColdMeansThatNoPromptIsReused) {
    EXPECT_TRUE(body_of(with(R"("kv_hint":"cold")")).contains(R"("cache_prompt":false)"));
    EXPECT_FALSE(body_of(with(R"("kv_hint":"reuse")")).contains("cache_prompt"));
    EXPECT_FALSE(body_of(with(R"("kv_hint":"cold","engine":"vllm")")).contains("cache_prompt"));
}

TEST(TaskSubmit, InputsBecomeEmbeddingsOrARerank) {
    EXPECT_EQ(body_of(R"({"model":"m","inputs":["a","b"]})"), R"({"model":"m","input":["a","b"]})");
    EXPECT_EQ(
        body_of(R"({"model":"m","inputs":["a"],"workload":"rerank","query":"q"})"),
        R"({"model":"m","query":"q","documents":["a"]})"
    );
}

TEST(JsonFingerprint, OrderAndSpacesDoNotCount) {
    const std::string a = json_fingerprint(R"({"a":1,"b":{"x":[1,2],"y":null}})").value();
    EXPECT_EQ(a, json_fingerprint(" {\"b\": {\"y\":null, \"x\":[1,2]},\n\"a\":1} ").value());
    EXPECT_NE(a, json_fingerprint(R"({"a":1,"b":{"x":[2,1],"y":null}})").value());
    EXPECT_NE(a, json_fingerprint(R"({"a":"1","b":{"x":[1,2],"y":null}})").value());
    EXPECT_NE(json_fingerprint(R"(["a,b"])").value(), json_fingerprint(R"(["a","b"])").value());
    EXPECT_FALSE(json_fingerprint("{"));
}

}  // namespace
}  // namespace orch::api
