#include "api/inference_peek.hpp"

#include "base/json.hpp"
#include "base/rng.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace orch::api {
namespace {

InferencePeek peek(std::string_view body) {
    const auto found = peek_inference(body);
    EXPECT_TRUE(found) << body << ": " << (found ? "" : found.error().message);
    return found.value_or(InferencePeek{});
}

std::string complaint(std::string_view body) {
    const auto found = peek_inference(body);
    EXPECT_FALSE(found) << body;
    if (found) {
        return {};
    }
    EXPECT_EQ(found.error().code, Errc::invalid_params);
    return found.error().message;
}

TEST(InferencePeek, FindsFieldsFirstAndLast) {
    const auto first = peek(R"({"model":"m","stream":true,"messages":[]})");
    EXPECT_EQ(first.model, "m");
    EXPECT_TRUE(first.stream);
    const auto last =
        peek(R"({"messages":[{"role":"user","content":"hi"}],"stream":false,"model":"m"})");
    EXPECT_EQ(last.model, "m");
    EXPECT_FALSE(last.stream);
}

TEST(InferencePeek, TreatsMissingNullAndEmptyModelAlike) {
    EXPECT_EQ(peek("{}").model, std::nullopt);
    EXPECT_EQ(peek(R"({"model":null})").model, std::nullopt);
    EXPECT_EQ(peek(R"({"model":""})").model, std::nullopt);
}

TEST(InferencePeek, TakesNullAsNoStream) {
    EXPECT_FALSE(peek(R"({"stream":null})").stream);
    EXPECT_FALSE(peek(R"({"stream":true,"stream":null})").stream);
}

TEST(InferencePeek, LooksOnlyAtTheTopLevel) {
    const auto found = peek(
        R"({"messages":[{"model":1,"stream":"x"}],"tools":{"model":[],"stream":{}},"model":"top"})"
    );
    EXPECT_EQ(found.model, "top");
    EXPECT_FALSE(found.stream);
}

TEST(InferencePeek, ReadsIncludeUsageInsideStreamOptionsOnly) {
    EXPECT_EQ(peek(R"({"stream_options":{"include_usage":true}})").include_usage, true);
    EXPECT_EQ(peek(R"({"stream_options":{"include_usage":false}})").include_usage, false);
    EXPECT_EQ(peek(R"({"stream_options":{}})").include_usage, std::nullopt);
    EXPECT_EQ(peek(R"({"stream_options":null})").include_usage, std::nullopt);
    EXPECT_EQ(peek(R"({"include_usage":true})").include_usage, std::nullopt);
    EXPECT_EQ(peek(R"({"x":{"include_usage":true}})").include_usage, std::nullopt);
    EXPECT_EQ(
        peek(R"({"stream_options":{"a":{"include_usage":true}}})").include_usage, std::nullopt
    );
    EXPECT_EQ(
        peek(R"({"stream_options":{"a":{}},"b":{"include_usage":true}})").include_usage,
        std::nullopt
    );
}

TEST(InferencePeek, LetsTheLastOfRepeatedKeysWin) {
    EXPECT_EQ(peek(R"({"model":"a","model":"b"})").model, "b");
    EXPECT_EQ(peek(R"({"model":1,"model":"b"})").model, "b");
    EXPECT_EQ(peek(R"({"model":"a","model":null})").model, std::nullopt);
    EXPECT_FALSE(peek(R"({"stream":true,"stream":false})").stream);
    EXPECT_EQ(
        peek(R"({"stream_options":{"include_usage":1},"stream_options":{}})").include_usage,
        std::nullopt
    );
    EXPECT_EQ(complaint(R"({"model":"a","model":1})"), "model: must be a string");
}

TEST(InferencePeek, NamesTheFieldOfAWrongType) {
    for (const char* value : {"1", "-1", "1.5", "true", "[]", "{}", "18446744073709551615"}) {
        EXPECT_EQ(complaint(std::string(R"({"model":)") + value + "}"), "model: must be a string");
    }
    for (const char* value : {"1", "\"true\"", "[true]", "{}"}) {
        EXPECT_EQ(
            complaint(std::string(R"({"stream":)") + value + "}"), "stream: must be true or false"
        );
    }
    for (const char* value : {"1", "\"x\"", "[]", "true"}) {
        EXPECT_EQ(
            complaint(std::string(R"({"stream_options":)") + value + "}"),
            "stream_options: must be an object"
        );
    }
    EXPECT_EQ(
        complaint(R"({"stream_options":{"include_usage":"yes"}})"),
        "stream_options.include_usage: must be true or false"
    );
}

TEST(InferencePeek, RefusesWhatIsNoJsonObject) {
    for (const char* body :
         {"", " ", "{", "nul", "{} x", "{}{}", "{\"a\":1,}", "{'a':1}", "// x\n{}"}) {
        EXPECT_TRUE(complaint(body).starts_with("the body is not valid JSON")) << body;
    }
    for (const char* body : {"[]", "null", "\"model\"", "7", R"([{"model":"m"}])"}) {
        EXPECT_EQ(complaint(body), "the body: must be a JSON object");
    }
}

TEST(InferencePeek, UnescapesTheModel) {
    EXPECT_EQ(peek(R"({"model":"a\"b\\\u00e9\n"})").model, "a\"b\\\xC3\xA9\n");
    EXPECT_EQ(peek(R"({"\u006dodel":"m"})").model, "m");
    EXPECT_EQ(peek(R"({"modelx":"m","mode":"n"})").model, std::nullopt);
}

TEST(InferencePeek, AcceptsWhitespaceAround) {
    EXPECT_EQ(peek(" \r\n\t{ \"model\" : \"m\" } \n").model, "m");
}

TEST(InferencePeek, LimitsNesting) {
    const auto nested = [](std::size_t levels) {
        return R"({"model":"m","a":)" + std::string(levels, '[') + std::string(levels, ']') + "}";
    };
    EXPECT_EQ(peek(nested(json::kMaxDepth - 1)).model, "m");
    EXPECT_TRUE(complaint(nested(json::kMaxDepth)).starts_with("the body is not valid JSON"));
    complaint(std::string(1'000'000, '['));
}

TEST(InferencePeek, RefusesBytesThatAreNotUtf8) {
    complaint("{\"model\":\"\xFF\"}");
    complaint("{\"x\":\"\xC3\"}");
}

TEST(InferencePeek, ReadsLongTextsWhole) {
    const std::string name(100'000, 'n');
    EXPECT_EQ(
        peek("{\"prompt\":\"" + std::string(1'000'000, 'p') + "\",\"model\":\"" + name + "\"}")
            .model,
        name
    );
}

const std::string kFull =
    R"( {"messages":[{"role":"user","content":"h\u00e9\n"},1,-2.5e3,null,true],)"
    R"("model":"qwen","stream":true,"stream_options":{"include_usage":true},"x":{"y":[{}]}})";

TEST(InferencePeek, RefusesEveryPrefixOfABody) {
    ASSERT_EQ(peek(kFull).model, "qwen");
    for (std::size_t length = 0; length < kFull.size(); ++length) {
        EXPECT_FALSE(peek_inference(std::string_view(kFull).substr(0, length))) << length;
    }
}

// Whatever the bytes: an answer, and the same opinion about validity as the tree parser.
TEST(InferencePeek, AgreesWithTheTreeParserOnDamagedBodies) {
    Rng rng(20240607);
    for (int round = 0; round < 20'000; ++round) {
        std::string body = kFull;
        for (std::uint64_t change = 0; change <= rng.below(3); ++change) {
            body[rng.below(body.size())] = static_cast<char>(rng.below(256));
        }
        const auto found = peek_inference(body);
        const auto tree = json::parse(body);
        if (!tree) {
            EXPECT_FALSE(found) << body;
        } else if (!found) {
            EXPECT_FALSE(found.error().message.contains("not valid JSON")) << body;
        } else if (found->model) {
            EXPECT_EQ(*found->model, std::string(tree->at("model").as_string())) << body;
        }
    }
}

}  // namespace
}  // namespace orch::api
