#include "base/rng.hpp"

#include "base/strong_id.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace orch {
namespace {

TEST(Rng, RepeatsItselfForTheSameSeed) {
    Rng a(42);
    Rng b(42);
    Rng other(43);
    bool differs = false;
    for (int i = 0; i < 100; ++i) {
        const auto value = a.next();
        EXPECT_EQ(value, b.next());
        differs = differs || value != other.next();
    }
    EXPECT_TRUE(differs);
}

// First outputs of SplitMix64 for seed 1234567 (prng.di.unimi.it/splitmix64.c).
TEST(Rng, IsSplitMix64) {
    Rng rng(1234567);
    EXPECT_EQ(rng.next(), 6457827717110365317ULL);
    EXPECT_EQ(rng.next(), 3203168211198807973ULL);
}

TEST(Rng, StaysBelowTheBoundAndReachesAllValues) {
    Rng rng(1);
    std::array<int, 6> seen{};
    for (int i = 0; i < 6000; ++i) {
        ++seen.at(rng.below(6));
    }
    for (const int count : seen) {
        EXPECT_GT(count, 800);
    }
    EXPECT_EQ(rng.below(0), 0U);
    EXPECT_EQ(rng.below(1), 0U);
}

TEST(Rng, IsUniformFromZeroToBelowOne) {
    Rng rng(2);
    double sum = 0;
    for (int i = 0; i < 10000; ++i) {
        const double value = rng.uniform();
        ASSERT_GE(value, 0.0);
        ASSERT_LT(value, 1.0);
        sum += value;
    }
    EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

TEST(Uuid, IsOfVersionFourAndAValidId) {
    Rng rng(3);
    std::set<std::string> all;
    for (int i = 0; i < 1000; ++i) {
        const std::string uuid = make_uuid(rng);
        ASSERT_EQ(uuid.size(), 36U);
        EXPECT_EQ(uuid[8], '-');
        EXPECT_EQ(uuid[13], '-');
        EXPECT_EQ(uuid[14], '4');
        EXPECT_EQ(uuid[18], '-');
        EXPECT_TRUE(std::string("89ab").contains(uuid[19])) << uuid;
        EXPECT_EQ(uuid[23], '-');
        EXPECT_TRUE(valid_id(uuid));
        EXPECT_TRUE(all.insert(uuid).second);
    }
}

TEST(SystemSeed, IsNotConstant) {
    EXPECT_NE(system_seed(), system_seed());
}

}  // namespace
}  // namespace orch
