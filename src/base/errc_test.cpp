#include "base/errc.hpp"

#include "base/enums.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace orch {
namespace {

constexpr int kCodes = static_cast<int>(Errc::internal) + 1;

TEST(Errc, HasAWireNameOfItsOwnForEveryCode) {
    std::set<std::string_view> names;
    for (int i = 0; i < kCodes; ++i) {
        const auto code = static_cast<Errc>(i);
        const std::string_view name = wire_name(code);
        EXPECT_TRUE(names.insert(name).second) << name << " is used twice";
        EXPECT_EQ(errc_from_wire(name), code) << name;
    }
    EXPECT_EQ(names.size(), 29U);
}

TEST(Errc, SpeaksTheWireNames) {
    EXPECT_EQ(wire_name(Errc::invalid_params), "INVALID_PARAMS");
    EXPECT_EQ(wire_name(Errc::queue_full_drop_lru), "QUEUE_FULL_DROP_LRU");
    EXPECT_EQ(wire_name(Errc::worker_reset), "WORKER_RESET");
    EXPECT_EQ(wire_name(Errc::internal), "INTERNAL");
}

TEST(Errc, KnowsNoOtherText) {
    EXPECT_FALSE(errc_from_wire("invalid_params"));
    EXPECT_FALSE(errc_from_wire("INVALID_PARAM"));
    EXPECT_FALSE(errc_from_wire(""));
}

TEST(ClosedEnums, GoToTextAndBack) {
    for (const auto* const text : {"llamacpp", "vllm", "tgi", "triton", "openai"}) {
        ASSERT_TRUE(engine_family_from(text)) << text;
        EXPECT_EQ(to_string(*engine_family_from(text)), text);
    }
    for (const auto* const text : {"chat", "embedding", "rerank"}) {
        ASSERT_TRUE(model_kind_from(text)) << text;
        EXPECT_EQ(to_string(*model_kind_from(text)), text);
    }
    for (const auto* const text : {"Registering", "Online", "Draining", "Offline", "Failed"}) {
        ASSERT_TRUE(node_status_from(text)) << text;
        EXPECT_EQ(to_string(*node_status_from(text)), text);
    }
    EXPECT_FALSE(engine_family_from("llama"));
    EXPECT_FALSE(model_kind_from("Chat"));
    EXPECT_FALSE(node_status_from("online"));
}

}  // namespace
}  // namespace orch
