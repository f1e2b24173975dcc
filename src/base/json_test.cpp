#include "base/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace orch::json {
namespace {

using testing::HasSubstr;

struct Slot {
    std::uint32_t free = 7;
    std::optional<std::string> error;
};

BOOST_DESCRIBE_STRUCT(Slot, (), (free, error))

struct Message {
    NodeId node_id;
    std::string text = "default";
    bool ready = true;
    std::int8_t small = -1;
    std::uint64_t large = 0;
    std::int64_t negative = 0;
    double ratio = 0.5;
    float narrow = 0;
    EngineFamily engine = EngineFamily::llamacpp;
    std::vector<Slot> slots;
    std::map<std::string, std::string> labels;
    std::optional<std::uint32_t> limit;
    bj::value extra;
};

BOOST_DESCRIBE_STRUCT(
    Message,
    (),
    (node_id,
     text,
     ready,
     small,
     large,
     negative,
     ratio,
     narrow,
     engine,
     slots,
     labels,
     limit,
     extra)
)

std::string problem(std::string_view text) {
    const auto decoded = decode<Message>(text);
    return decoded ? "" : decoded.error().message;
}

TEST(JsonReading, KeepsDefaultsForMissingKeysAndNull) {
    const auto message = decode<Message>(R"({"text":null,"ready":null,"limit":null,"slots":null})");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text, "default");
    EXPECT_TRUE(message->ready);
    EXPECT_EQ(message->small, -1);
    EXPECT_FALSE(message->limit);
    EXPECT_TRUE(decode<Message>("{}"));
}

TEST(JsonReading, IgnoresUnknownKeys) {
    const auto message = decode<Message>(R"({"unknown":{"deep":[1]},"text":"x"})");
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text, "x");
}

TEST(JsonReading, FillsEveryKindOfMember) {
    const auto message = decode<Message>(R"({"node_id":"n1","small":-128,
        "large":18446744073709551615,"negative":-9223372036854775808,"ratio":2,"engine":"vllm",
        "slots":[{"free":0},{"error":"x"}],"labels":{"tier":"fast"},"limit":4,"extra":[1]})");
    ASSERT_TRUE(message) << message.error().message;
    EXPECT_EQ(message->node_id, NodeId("n1"));
    EXPECT_EQ(message->small, -128);
    EXPECT_EQ(message->large, 18446744073709551615ULL);
    EXPECT_EQ(message->negative, std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(message->ratio, 2.0);
    EXPECT_EQ(message->engine, EngineFamily::vllm);
    ASSERT_EQ(message->slots.size(), 2U);
    EXPECT_EQ(message->slots[0].free, 0U);
    EXPECT_EQ(message->slots[1].free, 7U);
    EXPECT_EQ(message->slots[1].error, "x");
    EXPECT_EQ(message->labels.at("tier"), "fast");
    EXPECT_EQ(message->limit, 4U);
    EXPECT_TRUE(message->extra.is_array());
}

TEST(JsonReading, NamesThePathOfAnError) {
    EXPECT_EQ(
        problem(R"({"slots":[{},{"free":-1}]})"),
        "slots[1].free: must be an integer from 0 to 4294967295"
    );
    EXPECT_EQ(problem(R"({"slots":[3]})"), "slots[0]: must be an object");
    EXPECT_EQ(problem(R"({"slots":{}})"), "slots: must be an array");
    EXPECT_EQ(problem(R"({"labels":{"a":1}})"), "labels.a: must be a string");
    EXPECT_EQ(problem(R"({"labels":[]})"), "labels: must be an object");
    EXPECT_EQ(problem(R"({"ready":1})"), "ready: must be true or false");
    EXPECT_EQ(problem(R"({"node_id":5})"), "node_id: must be a string");
    EXPECT_EQ(problem(R"({"engine":"gpt"})"), "engine: must be one of the known names");
    EXPECT_EQ(problem("[]"), "the body: must be an object");
    EXPECT_EQ(decode<Message>("[]").error().code, Errc::invalid_params);
}

TEST(JsonReading, RefusesIntegersOutOfRangeAndFractions) {
    EXPECT_EQ(problem(R"({"small":128})"), "small: must be an integer from -128 to 127");
    EXPECT_THAT(problem(R"({"small":1.5})"), HasSubstr("small: must be an integer"));
    EXPECT_THAT(problem(R"({"large":18446744073709551616})"), HasSubstr("large: must be"));
    EXPECT_THAT(problem(R"({"large":-1})"), HasSubstr("large: must be"));
    EXPECT_THAT(problem(R"({"negative":9223372036854775808})"), HasSubstr("negative: must be"));
    EXPECT_THAT(problem(R"({"limit":4294967296})"), HasSubstr("limit: must be"));
    EXPECT_THAT(problem(R"({"limit":"4"})"), HasSubstr("limit: must be"));
    EXPECT_EQ(decode<Message>(R"({"limit":4.0})")->limit, 4U);
}

TEST(JsonReading, RefusesNumbersThatAreNotFinite) {
    EXPECT_THAT(problem(R"({"ratio":1e400})"), HasSubstr("ratio: must be a number"));
    EXPECT_THAT(problem(R"({"ratio":-1e400})"), HasSubstr("ratio: must be a number"));
    EXPECT_THAT(problem(R"({"narrow":1e300})"), HasSubstr("narrow: must be a number"));
    EXPECT_THAT(problem(R"({"ratio":NaN})"), HasSubstr("not valid JSON"));
    EXPECT_THAT(problem(R"({"ratio":"1"})"), HasSubstr("ratio: must be a number"));
    EXPECT_EQ(decode<Message>(R"({"ratio":1e308})")->ratio, 1e308);
}

TEST(JsonReading, RefusesTextThatIsNotJson) {
    for (const char* const bad :
         {"", " ", "{", "{]", R"({"text":"x"} x)", "{'text':1}", R"({"a":01})"}) {
        EXPECT_THAT(problem(bad), HasSubstr("not valid JSON")) << bad;
    }
    EXPECT_TRUE(decode<Message>(" {} \r\n"));
}

TEST(JsonReading, RefusesTextThatIsNotUtf8) {
    EXPECT_THAT(problem("{\"text\":\"a\xFF\"}"), HasSubstr("not valid JSON"));
    EXPECT_THAT(problem("{\"text\":\"\xED\xA0\x80\"}"), HasSubstr("not valid JSON"));
    EXPECT_THAT(problem(R"({"text":"\ud800"})"), HasSubstr("not valid JSON"));
    EXPECT_EQ(
        decode<Message>(R"({"text":"\u00e9\ud83d\ude00"})")->text, "\xC3\xA9\xF0\x9F\x98\x80"
    );
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

TEST(JsonReading, RefusesDeepNesting) {
    EXPECT_TRUE(parse(nested(kMaxDepth)));
    EXPECT_FALSE(parse(nested(kMaxDepth + 1)));
    EXPECT_FALSE(parse(std::string(1'000'000, '[')));
    EXPECT_THAT(problem(R"({"extra":)" + nested(kMaxDepth) + "}"), HasSubstr("not valid JSON"));
}

TEST(JsonReading, TakesTheLastOfRepeatedKeys) {
    EXPECT_EQ(decode<Message>(R"({"text":"a","text":"b"})")->text, "b");
}

TEST(JsonWriting, LeavesOutOrWritesWhatIsEmpty) {
    const Slot slot;
    EXPECT_EQ(serialize(write(slot, Nulls::leave_out)), R"({"free":7})");
    EXPECT_EQ(serialize(write(slot, Nulls::write)), R"({"free":7,"error":null})");
    EXPECT_EQ(encode(Slot{0, "bad \"x\""}), R"({"free":0,"error":"bad \"x\""})");
}

TEST(JsonWriting, MakesNullOfNumbersThatJsonCannotSay) {
    EXPECT_EQ(serialize(write(std::nan(""), Nulls::write)), "null");
    EXPECT_EQ(serialize(write(HUGE_VAL, Nulls::write)), "null");
}

TEST(JsonWriting, IsReadBack) {
    Message message;
    message.node_id = NodeId("n1");
    message.text = "line\n\xC3\xA9";
    message.large = 18446744073709551615ULL;
    message.negative = -5;
    message.engine = EngineFamily::triton;
    message.slots = {{1, "x"}, {2, std::nullopt}};
    message.labels = {{"a", "b"}};
    message.limit = 9;
    const auto again = decode<Message>(encode(message));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(encode(*again), encode(message));
    EXPECT_EQ(again->slots[0].error, "x");
    EXPECT_EQ(again->large, message.large);
    EXPECT_EQ(again->engine, EngineFamily::triton);
}

}  // namespace
}  // namespace orch::json
