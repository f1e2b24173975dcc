#include "control/placement/slot_choice.hpp"

#include "base/rng.hpp"
#include "control/placement/placement_fixture.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

// The slot that is chosen must be the first of the ranking that can be claimed: ranking everything
// is the slow way to the same answer.
namespace orch::control::placement {
namespace {

constexpr Claim kClaims[] = {Claim::newcomer, Claim::waiter};

bool can_take(const LoadCell& cell, Claim claim) {
    return claim == Claim::waiter ? cell.figures().claimable_for_waiter()
                                  : cell.figures().claimable();
}

PoolBlock any_pool(Rng& rng, const PoolKey& id) {
    PoolBlock block = pool(id, rng.below(3) == 0 ? "other" : "m");
    block.slots_total = static_cast<std::uint32_t>(rng.below(7));
    block.vram_free = rng.below(3) * kGiB + rng.below(kGiB);
    block.ready = rng.below(10) != 0;
    block.draining = rng.below(10) == 0;
    block.kind = rng.below(4) == 0 ? ModelKind::embedding : ModelKind::chat;
    block.cell->set_capacity(block.slots_total - (rng.below(5) == 0 ? block.slots_total / 2 : 0));
    for (std::uint64_t claims = rng.below(7); claims > 0; --claims) {
        static_cast<void>(block.cell->try_claim());
    }
    if (rng.below(8) == 0) {
        block.cell->add_waiter();
    }
    return block;
}

Cluster any_cluster(Rng& rng) {
    Cluster cluster;
    const std::uint64_t suspects = rng.below(4);  // of four: from none to all but few
    const std::uint64_t nodes = 1 + rng.below(12);
    for (std::uint64_t n = 0; n < nodes; ++n) {
        const std::string name = "n" + std::to_string(10 + n);
        for (std::uint64_t p = 0; p <= rng.below(3); ++p) {
            const PoolBlock block = any_pool(rng, key(name, "p" + std::to_string(p)));
            if (rng.below(4) < suspects) {
                block.cell->suspect_until(kNow + Duration(1));
            }
            cluster.add(block).reachable = rng.below(8) != 0;
        }
    }
    return cluster;
}

PlacementRequest any_request(Rng& rng) {
    PlacementRequest request;
    if (rng.below(4) != 0) {
        request.model = rng.below(9) == 0 ? "unknown" : "m";
    }
    if (rng.below(3) == 0) {
        request.session = "s" + std::to_string(rng.below(20));
    }
    for (std::uint64_t i = rng.below(4); i > 0; --i) {
        request.exclude.push_back(
            key("n" + std::to_string(10 + rng.below(12)), "p" + std::to_string(rng.below(2)))
        );
    }
    if (rng.below(6) == 0) {
        request.pin_node = NodeId("n" + std::to_string(10 + rng.below(4)));
        request.fallback = rng.below(2) == 0;
    }
    return request;
}

PlacementPolicy any_policy(Rng& rng) {
    const auto names = strategy_names();
    PlacementPolicy policy{.strategy = *strategy_from(names[rng.below(names.size())])};
    policy.spread_by = rng.below(8) == 0 ? "zone" : "";
    return policy;
}

// What the ranking says; the cells are not touched.
std::optional<PoolKey> expected(Decision& decision, Claim claim) {
    const Candidate* const first = take_first(decision, [claim](const Candidate& candidate) {
        return can_take(*candidate.pool->cell, claim);
    });
    return first == nullptr ? std::nullopt : std::optional(first->pool->key);
}

void check(
    const ClusterView& view,
    const PlacementRequest& request,
    const PlacementPolicy& policy,
    ChoiceLedger& ledger,
    Claim claim
) {
    Decision ranked = decide(view, request, policy, ledger, kNow);
    const auto wanted = expected(ranked, claim);
    const std::uint64_t chance = ledger.chance();
    const SlotChoice choice = choose_slot(view, request, policy, ledger, kNow, claim);
    ASSERT_EQ(choice.pool != nullptr, wanted.has_value());
    ASSERT_EQ(choice.all_excluded, ranked.all_excluded());
    ASSERT_EQ(choice.rejection.has_value(), ranked.rejection.has_value());
    ASSERT_EQ(choice.looked_at, ranked.looked_at);
    ASSERT_EQ(ledger.chance(), chance + (wanted ? 1 : 0)) << "each choice is entered once";
    if (ranked.rejection) {
        ASSERT_EQ(choice.rejection->message, ranked.rejection->message);
    }
    if (wanted) {
        ASSERT_EQ(choice.pool->key, *wanted);
        ASSERT_EQ(choice.node->id, wanted->node);
        ASSERT_NE(ledger.last_chosen(*choice.pool->cell), 0U);
    }
}

TEST(SlotChoice, IsTheFirstOfTheRankingThatCanBeClaimed) {
    Rng rng(11);
    for (int round = 0; round < 3000 && !testing::Test::HasFatalFailure(); ++round) {
        SCOPED_TRACE(round);
        const ClusterView view = any_cluster(rng).view();
        const PlacementPolicy policy = any_policy(rng);
        ChoiceLedger ledger{rng.next()};
        if (rng.below(3) != 0) {
            ledger.retain(view);
        }
        for (int choice = 0; choice < 8 && !testing::Test::HasFatalFailure(); ++choice) {
            check(view, any_request(rng), policy, ledger, kClaims[rng.below(2)]);
        }
    }
}

TEST(SlotChoice, SendsNobodyToASuspectWhileOthersAreOnlyFull) {
    for (const bool pinned : {false, true}) {
        Cluster cluster;
        const PoolBlock full = pool(key("a", "p"), "m", 4);
        const PoolBlock suspect = pool(key("b", "p"), "m");
        cluster.add(full);
        cluster.add(suspect);
        suspect.cell->suspect_until(kNow + Duration(1));
        const ClusterView view = cluster.view();
        ChoiceLedger ledger;
        PlacementRequest request = asking("m");
        request.labels = pinned ? view::Labels{{"node_id", "b"}} : view::Labels{};
        const SlotChoice choice = choose_slot(view, request, {}, ledger, kNow, Claim::newcomer);
        EXPECT_FALSE(choice.rejection);
        EXPECT_EQ(choice.pool != nullptr, pinned) << "unless there is nothing else";
    }
}

TEST(SlotChoice, TriesAPoolThatFailedWithOneRequest) {
    Cluster cluster;
    const PoolBlock failed = pool(key("a", "p"), "m");
    cluster.add(failed);
    cluster.add(pool(key("b", "p"), "m", 2));
    const Instant before = kNow - LoadCell::kFirstPause;
    for (std::uint32_t i = 0; i < LoadCell::kTripAfter; ++i) {
        failed.cell->note_failure(before);
    }
    const ClusterView view = cluster.view();
    ChoiceLedger ledger;
    const auto chosen = [&] {
        return choose_slot(view, asking("m"), {}, ledger, kNow, Claim::newcomer).pool->key;
    };
    EXPECT_EQ(chosen(), failed.key) << "the trial";
    EXPECT_EQ(chosen(), key("b", "p"));
    failed.cell->note_success();
    EXPECT_EQ(chosen(), failed.key);
}

TEST(SlotChoice, PassesAWaiterOnlyOnBehalfOfAnother) {
    Cluster cluster;
    const PoolBlock queued = pool(key("a", "p"), "m");
    cluster.add(queued);
    queued.cell->add_waiter();
    const ClusterView view = cluster.view();
    ChoiceLedger ledger;
    EXPECT_EQ(choose_slot(view, asking("m"), {}, ledger, kNow, Claim::newcomer).pool, nullptr);
    EXPECT_NE(choose_slot(view, asking("m"), {}, ledger, kNow, Claim::waiter).pool, nullptr);
    EXPECT_EQ(queued.cell->claimed(), 1U);
}

TEST(ChoiceLedger, KnowsPoolsByTheirPlaceInTheViewItSawLast) {
    Cluster cluster;
    const PoolBlock a = pool(key("a", "p"), "m");
    const PoolBlock b = pool(key("b", "p"), "m");
    cluster.add(a);
    cluster.add(b);
    ChoiceLedger ledger;
    ledger.chosen(*b.cell);
    const ClusterView view = cluster.view();
    EXPECT_TRUE(ledger.by_ordinal(view).empty());
    ledger.retain(view);
    ledger.chosen(*a.cell);
    ASSERT_EQ(ledger.by_ordinal(view).size(), 2U);
    EXPECT_EQ(ledger.by_ordinal(view)[0], 2U);
    EXPECT_EQ(ledger.by_ordinal(view)[1], 1U);
    EXPECT_TRUE(ledger.by_ordinal(cluster.view()).empty()) << "a view of another shape";
}

}  // namespace
}  // namespace orch::control::placement
