#include "net/access_sample.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace orch::net {
namespace {

int sampled_of(int requests, std::uint64_t every, const char* pattern) {
    int sampled = 0;
    for (int i = 0; i < requests; ++i) {
        sampled += is_sampled(fmt::format(fmt::runtime(pattern), i), every) ? 1 : 0;
    }
    return sampled;
}

TEST(AccessSample, TakesAllWhenNotAskedToLeaveOut) {
    EXPECT_EQ(sampled_of(100, 0, "{:032x}"), 100);
    EXPECT_EQ(sampled_of(100, 1, "{:032x}"), 100);
    EXPECT_TRUE(is_sampled("", 1000));
}

TEST(AccessSample, TakesAboutOneInNAlsoOfIdsThatCount) {
    EXPECT_NEAR(sampled_of(100000, 10, "{:032x}"), 10000, 500);
    EXPECT_NEAR(sampled_of(100000, 16, "{:08x}000000000000000000000000"), 6250, 400);
}

TEST(AccessSample, DecidesTheSameEverywhere) {
    int differs = 0;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = fmt::format("{:032x}", i * 7919);
        EXPECT_EQ(is_sampled(id, 10), is_sampled(id, 10));
        // Who samples less takes a part of what others take when the one number divides the other.
        differs += is_sampled(id, 100) && !is_sampled(id, 10) ? 1 : 0;
    }
    EXPECT_EQ(differs, 0);
}

}  // namespace
}  // namespace orch::net
