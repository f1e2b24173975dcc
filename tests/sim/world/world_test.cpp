#include "sim/world/world.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

// Whole clusters under faults, in virtual time. A failing seed is told with its last events;
// `make sim SEEDS=<seed>` replays it.
namespace orch::sim::world {
namespace {

constexpr std::uint64_t kSeeds = 100;

TEST(WorldSim, AHundredClustersKeepTheRulesThroughEverything) {
    Outcome all;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        const Outcome outcome = World(small(seed)).run();
        ASSERT_FALSE(outcome.broken) << "seed " << seed << ": " << *outcome.broken << "\n"
                                     << outcome.last_events;
        all.add(outcome);
    }
    for (std::size_t i = 0; i < kFaults; ++i) {
        EXPECT_GT(all.faults[i], 50U) << kFaultNames[i] << " were hardly tried";
    }
    for (std::size_t i = 0; i < kEndings; ++i) {
        EXPECT_GT(all.endings[i], 20U) << "hardly any request was " << kEndingNames[i];
    }
    EXPECT_GT(all.continued, 50U) << "hardly any answer went on elsewhere";
    EXPECT_GT(all.held_back, 20U) << "the retry budget hardly ever held anybody back";
    EXPECT_GT(all.lost, 1000U);
    EXPECT_GT(all.doubled, 100U);
}

TEST(WorldSim, ASeedReplaysExactly) {
    const Outcome first = World(small(7)).run();
    const Outcome again = World(small(7)).run();
    EXPECT_EQ(first.digest, again.digest);
    EXPECT_EQ(first.events, again.events);
    EXPECT_NE(first.digest, World(small(8)).run().digest);
}

struct Damage {
    Sabotage sabotage;
    const char* noticed;  // part of the sentence
};

void PrintTo(const Damage& damage, std::ostream* out) {
    *out << damage.noticed;
}

class SabotagedWorldSim : public testing::TestWithParam<Damage> {};

TEST_P(SabotagedWorldSim, IsNoticed) {
    std::string told;
    for (std::uint64_t seed = 1; seed <= 20 && told.empty(); ++seed) {
        Options options = small(seed);
        options.sabotage = GetParam().sabotage;
        told = World(options).run().broken.value_or("");
    }
    EXPECT_TRUE(told.contains(GetParam().noticed)) << told;
}

INSTANTIATE_TEST_SUITE_P(
    EveryRule,
    SabotagedWorldSim,
    testing::Values(
        Damage{Sabotage::leaked_slot, "slots are held and"},
        Damage{Sabotage::doubled_release, "slots are held and"},
        Damage{Sabotage::doubled_dispatch, "nobody said it failed"},
        Damage{Sabotage::forgotten_end, "never ended"},
        Damage{Sabotage::doubled_end, "ended twice"},
        Damage{Sabotage::stale_view, "the registry knew"},
        Damage{Sabotage::deaf_dispatcher, "while a slot is free"},
        Damage{Sabotage::jumped_queue, "has waited longer"},
        Damage{Sabotage::ignored_lease, "an engine of"},
        Damage{Sabotage::leaked_lease, "leases at rest"},
        Damage{Sabotage::silent_node, "does not use it"},
        Damage{Sabotage::immortal_node, "deadline"},
        Damage{Sabotage::doubled_engine, "engines at rest"},
        Damage{Sabotage::repeated_piece, "its client gets piece"},
        Damage{Sabotage::skipped_piece, "its client gets piece"},
        Damage{Sabotage::retry_storm, "second tries"},
        Damage{Sabotage::lazy_loader, "while a pool is at rest"}
    )
);

}  // namespace
}  // namespace orch::sim::world
