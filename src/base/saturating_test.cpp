#include "base/saturating.hpp"

#include <gtest/gtest.h>

namespace orch {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TEST(Saturating, WhatFitsIsExact) {
    EXPECT_EQ(saturating_multiply(0, kMost), 0U);
    EXPECT_EQ(saturating_multiply(1U << 31, 1U << 31), std::uint64_t{1} << 62);
    EXPECT_EQ(saturating_add(kMost - 1, 1), kMost);
}

TEST(Saturating, WhatDoesNotFitIsTheLargestNumber) {
    EXPECT_EQ(saturating_multiply(kMost, 2), kMost);
    EXPECT_EQ(saturating_multiply(std::uint64_t{1} << 32, std::uint64_t{1} << 32), kMost);
    EXPECT_EQ(saturating_add(kMost, 1), kMost);
}

}  // namespace
}  // namespace orch
