#include "api/error_body.hpp"

#include "base/json.hpp"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

namespace orch::api {
namespace {

using std::chrono::milliseconds;

const CorrelationId kId("c-1");

ErrorBody body_of(Errc code, std::string message = "no") {
    return make_error_body(Error{code, std::move(message), "secret detail"}, kId);
}

TEST(ErrorTable, MapsEveryCodeAsPromised) {
    const std::map<std::string, std::tuple<unsigned, std::string, bool>> promised{
        {"INVALID_PARAMS", {400, "invalid_request_error", false}},
        {"DEADLINE_UNMET", {400, "invalid_request_error", false}},
        {"UNTRUSTED_ARTIFACT", {400, "invalid_request_error", false}},
        {"CONTEXT_LENGTH_EXCEEDED", {400, "invalid_request_error", false}},
        {"MISSING_TOKEN", {401, "authentication_error", false}},
        {"BAD_TOKEN", {401, "authentication_error", false}},
        {"FORBIDDEN", {403, "permission_error", false}},
        {"NOT_FOUND", {404, "invalid_request_error", false}},
        {"METHOD_NOT_ALLOWED", {405, "invalid_request_error", false}},
        {"CONFLICT", {409, "invalid_request_error", false}},
        {"AMBIGUOUS_POOL", {409, "invalid_request_error", false}},
        {"MODEL_DEPRECATED", {410, "invalid_request_error", false}},
        {"PAYLOAD_TOO_LARGE", {413, "invalid_request_error", false}},
        {"REQUEST_TIMEOUT", {408, "invalid_request_error", true}},
        {"HEADERS_TOO_LARGE", {431, "invalid_request_error", false}},
        {"ADMISSION_REJECT", {429, "rate_limit_error", true}},
        {"QUEUE_FULL_DROP_LRU", {429, "rate_limit_error", true}},
        {"QUOTA_EXCEEDED", {429, "rate_limit_error", true}},
        {"MODEL_NOT_FOUND", {404, "invalid_request_error", false}},
        {"MODEL_NOT_AVAILABLE", {503, "server_error", true}},
        {"NODE_UNAVAILABLE", {503, "server_error", true}},
        {"POOL_UNREADY", {503, "server_error", true}},
        {"POOL_UNAVAILABLE", {503, "server_error", true}},
        {"REPLICA_EXHAUSTED", {503, "server_error", true}},
        {"CLOUD_PROFILE_DISABLED", {503, "server_error", false}},
        {"DECODE_TIMEOUT", {504, "server_error", true}},
        {"WORKER_RESET", {502, "server_error", true}},
        {"CANCELLED", {499, "invalid_request_error", false}},
        {"INTERNAL", {500, "server_error", false}},
    };
    for (int code = 0; code <= static_cast<int>(Errc::internal); ++code) {
        const ErrorTraits& traits = error_traits(static_cast<Errc>(code));
        const auto expected = promised.find(std::string(wire_name(traits.code)));
        ASSERT_NE(expected, promised.end());
        EXPECT_EQ(traits.code, static_cast<Errc>(code));
        EXPECT_EQ(
            std::tuple(traits.status, std::string(traits.type), traits.retriable), expected->second
        ) << expected->first;
    }
    EXPECT_EQ(promised.size(), static_cast<std::size_t>(Errc::internal) + 1);
}

TEST(ErrorBody, HasEveryKeyAndNullsWhereNothingApplies) {
    const auto tree = json::parse(to_json(body_of(Errc::not_found)));
    ASSERT_TRUE(tree);
    const auto& error = tree->at("error").as_object();
    for (const char* key :
         {"message",
          "type",
          "code",
          "param",
          "retriable",
          "retry_after_ms",
          "correlation_id",
          "details"}) {
        EXPECT_TRUE(error.contains(key)) << key;
    }
    EXPECT_EQ(error.size(), 8U);
    EXPECT_EQ(tree->as_object().size(), 1U);
    EXPECT_TRUE(error.at("param").is_null());
    EXPECT_TRUE(error.at("retry_after_ms").is_null());
    EXPECT_TRUE(error.at("details").is_null());
    EXPECT_EQ(error.at("correlation_id").as_string(), "c-1");
    EXPECT_EQ(error.at("code").as_string(), "NOT_FOUND");
}

TEST(ErrorBody, NeverShowsTheDetailForLogs) {
    EXPECT_EQ(to_json(body_of(Errc::internal)).find("secret"), std::string::npos);
}

TEST(ErrorBody, NamesTheFieldAsParam) {
    EXPECT_EQ(
        body_of(Errc::invalid_params, "pools[1].slots_free: is missing").param,
        "pools[1].slots_free"
    );
    EXPECT_EQ(body_of(Errc::invalid_params, "the body: must be an object").param, std::nullopt);
    EXPECT_EQ(body_of(Errc::invalid_params, "no colon").param, std::nullopt);
    EXPECT_EQ(body_of(Errc::model_not_found).param, "model");
    EXPECT_EQ(body_of(Errc::conflict, "node: taken").param, std::nullopt);
}

TEST(ErrorBody, AsksToWaitOnlyWhereWaitingHelps) {
    for (const Errc code : {Errc::admission_reject, Errc::model_not_available}) {
        const auto headers = backoff_headers(body_of(code));
        ASSERT_TRUE(headers);
        EXPECT_EQ(headers->retry_after, "1");
        EXPECT_EQ(headers->backoff_ms, "1000");
    }
    for (const Errc code :
         {Errc::worker_reset, Errc::decode_timeout, Errc::cloud_profile_disabled, Errc::conflict}) {
        const Error error{code, "no", {}};
        EXPECT_FALSE(backoff_headers(make_error_body(error, kId, milliseconds(500))));
    }
}

TEST(ErrorBody, RoundsSecondsUpAndKeepsMilliseconds) {
    const Error error{Errc::pool_unavailable, "no", {}};
    const auto at = [&](int ms) {
        return *backoff_headers(make_error_body(error, kId, milliseconds(ms)));
    };
    EXPECT_EQ(at(0).retry_after, "1");
    EXPECT_EQ(at(0).backoff_ms, "0");
    EXPECT_EQ(at(250).retry_after, "1");
    EXPECT_EQ(at(1001).retry_after, "2");
    EXPECT_EQ(at(2000).retry_after, "2");
    EXPECT_EQ(at(1001).backoff_ms, "1001");
}

TEST(ErrorBody, CarriesReasonsOfPlaces) {
    ErrorDetails details;
    details.candidates = {{NodeId("n"), PoolId("p"), {"node 'n' is Offline"}}};
    const ErrorBody body =
        make_error_body(Error{Errc::model_not_available, "none", {}}, kId, details);
    const auto tree = json::parse(to_json(body));
    const auto& place = tree->at("error").at("details").at("candidates").at(0);
    EXPECT_EQ(place.at("node_id").as_string(), "n");
    EXPECT_EQ(place.at("reasons").at(0).as_string(), "node 'n' is Offline");
    EXPECT_FALSE(tree->at("error").at("details").as_object().contains("nodes"));
}

TEST(ErrorBody, IsReadBackWhole) {
    const ErrorBody sent =
        make_error_body(Error{Errc::admission_reject, "queue full", {}}, kId, milliseconds(1500));
    const auto body = parse_error_body(to_json(sent));
    ASSERT_TRUE(body);
    EXPECT_EQ(body->errc(), Errc::admission_reject);
    EXPECT_EQ(body->message, "queue full");
    EXPECT_EQ(body->retry_after_ms, 1500U);
    EXPECT_TRUE(body->retriable);
    EXPECT_EQ(body->correlation_id, "c-1");
}

TEST(ErrorBody, ReadsEnginesAndEarlierDaemons) {
    const auto engine = parse_error_body(
        R"({"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n":9}})"
    );
    ASSERT_TRUE(engine);
    EXPECT_EQ(engine->message, "too long");
    EXPECT_EQ(engine->type, "exceed_context_size_error");
    EXPECT_EQ(engine->errc(), std::nullopt);
    const auto earlier = parse_error_body(R"({"error":"pool p not found"})");
    ASSERT_TRUE(earlier);
    EXPECT_EQ(earlier->message, "pool p not found");
}

TEST(ErrorBody, IsNothingForOtherTexts) {
    for (const char* text : {"", "<html>", "[]", "{}", R"({"error":null})", R"({"error":7})"}) {
        EXPECT_FALSE(parse_error_body(text)) << text;
    }
}

}  // namespace
}  // namespace orch::api
