#include "apps/llorch/figures.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

TEST(Figures, RoundsAgesDownToOneUnit) {
    EXPECT_EQ(age_text(-5), "0ms");
    EXPECT_EQ(age_text(999), "999ms");
    EXPECT_EQ(age_text(59'999), "59s");
    EXPECT_EQ(age_text(60'000), "1m");
    EXPECT_EQ(age_text(7'200'000), "2h");
    EXPECT_EQ(age_text(3 * 86'400'000LL), "3d");
}

TEST(Figures, TellsFreeVideoMemory) {
    EXPECT_EQ(vram_text(0, 24 * kGiB), "0.0/24.0 GiB");
    EXPECT_EQ(vram_text(2 * kGiB, std::nullopt), "2.0 GiB");
    EXPECT_EQ(vram_text(0, std::nullopt), "-");
    EXPECT_EQ(vram_text(0, 0), "-");
}

TEST(Figures, KeepsSharesWithinAHundredPercent) {
    EXPECT_EQ(percent_text(0.426), "43%");
    EXPECT_EQ(percent_text(7), "100%");
    EXPECT_EQ(percent_text(-1), "0%");
}

}  // namespace
}  // namespace orch::llorch
