#include "control/gateway/dispatcher.hpp"

#include "control/gateway/cluster_fixture.hpp"

#include <gtest/gtest.h>

#include <map>

namespace orch::control::gateway {
namespace {

using namespace std::chrono_literals;
using admission::TicketId;

constexpr Instant kStart{std::chrono::hours(1)};

// What became of one request.
struct Outcome {
    std::vector<Result<PoolKey>> calls;

    bool waits() const { return calls.empty(); }

    bool granted() const { return calls.size() == 1 && calls.front().has_value(); }

    PoolKey pool() const { return granted() ? *calls.front() : PoolKey{}; }

    Errc code() const {
        return calls.size() == 1 && !calls.front() ? calls.front().error().code : Errc::internal;
    }
};

class DispatcherTest : public testing::Test {
protected:
    Outcome& park(Bid bid) {
        auto& outcome = *outcomes_.emplace_back(std::make_unique<Outcome>());
        const auto take = [&outcome](Result<Grant> grant) {
            if (grant) {
                outcome.calls.emplace_back(grant->pool->key);
            } else {
                outcome.calls.emplace_back(std::unexpected(grant.error()));
            }
        };
        last_ = dispatcher_.park(std::move(bid), now_, take);
        return outcome;
    }

    Outcome& park(const std::string& model) { return park(Bid{for_model(model)}); }

    static placement::PlacementRequest for_model(const std::string& model) {
        placement::PlacementRequest request;
        if (!model.empty()) {
            request.model = model;
        }
        return request;
    }

    // Both pools serve "qwen" (alias "gpt"); every slot is taken.
    void two_busy_pools() {
        a_ = std::make_shared<LoadCell>(1U);
        b_ = std::make_shared<LoadCell>(1U);
        dispatcher_.set_view(both(), now_);
        ASSERT_TRUE(a_->try_claim());
        ASSERT_TRUE(b_->try_claim());
    }

    view::ClusterViewPtr both() {
        return view_of(
            {node_block("a", {pool_block(key_of("a"), {"qwen", "gpt"}, a_)}),
             node_block("b", {pool_block(key_of("b"), {"qwen", "gpt"}, b_)})}
        );
    }

    view::ClusterViewPtr only_a() {
        return view_of({node_block("a", {pool_block(key_of("a"), {"qwen", "gpt"}, a_)})});
    }

    void give_back(LoadCell& cell, const PoolKey& pool) {
        if (cell.release()) {
            dispatcher_.slot_freed(pool, now_);
        }
    }

    Instant now_ = kStart;
    std::shared_ptr<LoadCell> a_;
    std::shared_ptr<LoadCell> b_;
    std::map<std::string, std::size_t> depths_;
    TicketId last_{};
    std::vector<std::unique_ptr<Outcome>> outcomes_;
    Dispatcher dispatcher_{
        {.capacity = 3, .queue_timeout = 60s},
        {},
        [this](const std::string& name, admission::Priority, std::size_t depth) {
            depths_[name] = depth;
        }
    };
};

TEST_F(DispatcherTest, AFreedSlotGoesToTheHeadOfTheQueue) {
    two_busy_pools();
    const Outcome& first = park("qwen");
    const Outcome& second = park("qwen");
    EXPECT_TRUE(first.waits());
    give_back(*b_, key_of("b"));
    EXPECT_EQ(first.pool(), key_of("b"));
    EXPECT_TRUE(second.waits());
    EXPECT_EQ(b_->claimed(), 1U);
    give_back(*a_, key_of("a"));
    EXPECT_EQ(second.pool(), key_of("a"));
}

TEST_F(DispatcherTest, NamesAndAliasesWaitInOneQueueThatTheDepthTells) {
    two_busy_pools();
    const Outcome& by_alias = park("gpt");
    const Outcome& by_name = park("qwen");
    EXPECT_EQ(depths_["qwen"], 2U);
    EXPECT_FALSE(depths_.contains("gpt"));
    give_back(*a_, key_of("a"));
    EXPECT_TRUE(by_alias.granted());
    EXPECT_TRUE(by_name.waits());
    EXPECT_EQ(depths_["qwen"], 1U);
}

TEST_F(DispatcherTest, TheOldestOfAllQueuesThatFitIsServedFirst) {
    two_busy_pools();
    const Outcome& without_model = park("");
    const Outcome& named = park("qwen");
    give_back(*a_, key_of("a"));
    EXPECT_TRUE(without_model.granted());
    EXPECT_TRUE(named.waits());
}

TEST_F(DispatcherTest, NoEdgeOvertakesWhileSomebodyWaits) {
    two_busy_pools();
    park("qwen");
    const TicketId waiting = last_;
    // A slot is free for a moment, until the control thread hears of it.
    EXPECT_TRUE(a_->release());
    EXPECT_FALSE(a_->try_claim());
    dispatcher_.cancel(waiting);
    EXPECT_TRUE(a_->try_claim());
}

TEST_F(DispatcherTest, ASlotThatWasFreedBeforeTheWaiterStoodThereIsNotLost) {
    two_busy_pools();
    EXPECT_FALSE(a_->release());
    EXPECT_EQ(park("qwen").pool(), key_of("a"));
    EXPECT_EQ(a_->waiters(), 0U);
    EXPECT_EQ(b_->waiters(), 0U);
}

TEST_F(DispatcherTest, AFullQueueRejectsAndLeavesNoTrace) {
    two_busy_pools();
    park("qwen");
    park("qwen");
    park("qwen");
    EXPECT_EQ(park("qwen").code(), Errc::admission_reject);
    EXPECT_EQ(dispatcher_.waiting(), 3U);
    EXPECT_EQ(a_->waiters(), 1U) << "who asks the same stands in one line";
    EXPECT_TRUE(park("").waits());
    EXPECT_EQ(a_->waiters(), 2U);
}

TEST_F(DispatcherTest, WhoWaitsTooLongIsRejectedExactlyThen) {
    two_busy_pools();
    const Outcome& early = park("qwen");
    now_ += 1s;
    const Outcome& late = park("qwen");
    EXPECT_EQ(dispatcher_.next_deadline(), kStart + 60s);
    dispatcher_.expire(kStart + 60s - Duration(1));
    EXPECT_TRUE(early.waits());
    dispatcher_.expire(kStart + 60s);
    EXPECT_EQ(early.code(), Errc::admission_reject);
    EXPECT_TRUE(late.waits());
    EXPECT_EQ(a_->waiters(), 1U);
}

TEST_F(DispatcherTest, ACancelledWaitEndsOnce) {
    two_busy_pools();
    const Outcome& gone = park("qwen");
    const TicketId ticket = last_;
    dispatcher_.cancel(ticket);
    dispatcher_.cancel(ticket);
    dispatcher_.expire(now_ + 1h);
    EXPECT_EQ(gone.code(), Errc::cancelled);
    EXPECT_EQ(a_->waiters(), 0U);
    EXPECT_EQ(depths_["qwen"], 0U);
}

TEST_F(DispatcherTest, CancellingAfterTheGrantChangesNothing) {
    two_busy_pools();
    const Outcome& served = park("qwen");
    const TicketId ticket = last_;
    give_back(*a_, key_of("a"));
    dispatcher_.cancel(ticket);
    EXPECT_TRUE(served.granted());
    EXPECT_EQ(a_->claimed(), 1U);
}

TEST_F(DispatcherTest, ANewPoolComesWithTheWaitersAndServesThem) {
    a_ = std::make_shared<LoadCell>(1U);
    b_ = std::make_shared<LoadCell>(1U);
    dispatcher_.set_view(only_a(), now_);
    ASSERT_TRUE(a_->try_claim());
    const Outcome& first = park("qwen");
    const Outcome& second = park("qwen");
    dispatcher_.set_view(both(), now_);
    EXPECT_EQ(first.pool(), key_of("b"));
    EXPECT_TRUE(second.waits());
    EXPECT_EQ(b_->waiters(), 1U);
    EXPECT_FALSE(b_->try_claim());
}

TEST_F(DispatcherTest, APoolThatLeavesTheViewKeepsNoWaiters) {
    two_busy_pools();
    park("qwen");
    dispatcher_.set_view(only_a(), now_);
    EXPECT_EQ(a_->waiters(), 1U);
    EXPECT_EQ(b_->waiters(), 0U);
    // The slot of a pool that nobody may be placed on any more is only freed.
    EXPECT_FALSE(b_->release());
    dispatcher_.slot_freed(key_of("b"), now_);
    EXPECT_EQ(b_->claimed(), 0U);
}

TEST_F(DispatcherTest, MoreSlotsServeMoreWaiters) {
    two_busy_pools();
    const Outcome& first = park("qwen");
    const Outcome& second = park("qwen");
    a_->set_capacity(3);
    dispatcher_.set_view(both(), now_);
    EXPECT_TRUE(first.granted());
    EXPECT_TRUE(second.granted());
    EXPECT_EQ(a_->claimed(), 3U);
}

TEST_F(DispatcherTest, APinnedWaiterDoesNotBlockTheOthers) {
    two_busy_pools();
    placement::PlacementRequest pinned = for_model("qwen");
    pinned.pin_node = NodeId("a");
    const Outcome& first = park(Bid{std::move(pinned)});
    const Outcome& second = park("qwen");
    give_back(*b_, key_of("b"));
    EXPECT_TRUE(first.waits());
    EXPECT_EQ(second.pool(), key_of("b"));
    // The pinned one waits at its own pool only.
    EXPECT_FALSE(b_->release());
    EXPECT_TRUE(b_->try_claim());
    give_back(*a_, key_of("a"));
    EXPECT_EQ(first.pool(), key_of("a"));
}

TEST_F(DispatcherTest, ASlotBehindAPinnedHeadIsFoundAtOnce) {
    two_busy_pools();
    placement::PlacementRequest pinned = for_model("qwen");
    pinned.pin_node = NodeId("a");
    park(Bid{std::move(pinned)});
    EXPECT_FALSE(b_->release());
    EXPECT_EQ(park("qwen").pool(), key_of("b"));
}

TEST_F(DispatcherTest, APoolThatRefusedIsLeftAloneUntilTheNextRound) {
    two_busy_pools();
    const Outcome& first = park(Bid{for_model("qwen"), {key_of("a")}});
    EXPECT_EQ(a_->waiters(), 1U);
    give_back(*a_, key_of("a"));
    EXPECT_TRUE(first.waits());
    dispatcher_.retry_refused(now_);
    EXPECT_EQ(first.pool(), key_of("a"));
}

TEST_F(DispatcherTest, APoolThatFailedIsNeverOfferedAndHasNoWaiterOfIt) {
    two_busy_pools();
    placement::PlacementRequest scalded = for_model("qwen");
    scalded.exclude = {key_of("a")};
    const Outcome& first = park(Bid{std::move(scalded)});
    EXPECT_EQ(a_->waiters(), 0U);
    EXPECT_FALSE(a_->release());
    dispatcher_.retry_refused(now_);
    dispatcher_.set_view(both(), now_);
    EXPECT_TRUE(first.waits());
    EXPECT_TRUE(a_->try_claim());
    give_back(*b_, key_of("b"));
    EXPECT_EQ(first.pool(), key_of("b"));
}

TEST_F(DispatcherTest, APlaceThatFailedLongAgoAndIsTheSameIsOfferedAgain) {
    two_busy_pools();
    placement::PlacementRequest burnt = for_model("qwen");
    burnt.failed = {{key_of("a"), 0}, {key_of("b"), 0}};
    const Outcome& first = park(Bid{std::move(burnt)});
    give_back(*a_, key_of("a"));
    dispatcher_.retry_refused(now_ + kFailedFor - 1ms);
    EXPECT_TRUE(first.waits());
    EXPECT_EQ(a_->waiters(), 0U);
    dispatcher_.retry_refused(now_ + kFailedFor);
    EXPECT_EQ(first.pool(), key_of("a"));
    EXPECT_EQ(a_->waiters() + b_->waiters(), 0U);
}

TEST_F(DispatcherTest, WhoAwaitsAPoolIsServedWhenItIsBackAndToldWhenItIsNot) {
    a_ = std::make_shared<LoadCell>(1U);
    b_ = std::make_shared<LoadCell>(1U);
    auto down = [this] {
        view::PoolBlock pool = pool_block(key_of("a"), {"qwen"}, a_);
        pool.ready = false;
        pool.left_at = kStart;
        return view_of({node_block("a", {std::move(pool)})});
    };
    dispatcher_.set_view(down(), now_);
    const Error gone{Errc::model_not_available, "no pool is ready", {}};
    const auto awaiting = [&](Duration limit) {
        Bid bid{for_model("qwen")};
        bid.awaited = {now_ + limit, gone};
        return bid;
    };
    const Outcome& patient = park(awaiting(30s));
    const Outcome& next = park(awaiting(30s));
    const Outcome& late = park(awaiting(1s));
    now_ += 1s;
    dispatcher_.retry_refused(now_);
    EXPECT_EQ(late.code(), Errc::model_not_available);
    EXPECT_TRUE(patient.waits());
    dispatcher_.set_view(only_a(), now_);
    EXPECT_EQ(patient.pool(), key_of("a"));
    dispatcher_.retry_refused(now_ + 40s);
    EXPECT_TRUE(next.waits()) << "the pool is back: it waits for a slot now";
    give_back(*a_, key_of("a"));
    EXPECT_EQ(next.pool(), key_of("a"));
}

TEST_F(DispatcherTest, WhoWaitedBeforeComesBackToItsPlace) {
    two_busy_pools();
    const Outcome& other = park("qwen");
    park("qwen");
    park("qwen");
    const Outcome& again = park(Bid{for_model("qwen"), {key_of("a")}, kStart - 10s});
    EXPECT_TRUE(again.waits()) << "it was admitted once: a full queue does not turn it away";
    EXPECT_EQ(dispatcher_.next_deadline(), kStart + 50s);
    give_back(*b_, key_of("b"));
    EXPECT_TRUE(again.granted());
    EXPECT_TRUE(other.waits());
}

TEST_F(DispatcherTest, AGrantTellsSinceWhenItsRequestWaited) {
    two_busy_pools();
    std::optional<Instant> since;
    dispatcher_.park(Bid{for_model("qwen")}, now_, [&](Result<Grant> grant) {
        since = grant->since;
    });
    now_ += 5s;
    give_back(*a_, key_of("a"));
    EXPECT_EQ(since, kStart);
}

TEST_F(DispatcherTest, ClosingEndsAllWaitsAndTakesNoMore) {
    two_busy_pools();
    const Outcome& first = park("qwen");
    const Outcome& second = park("");
    dispatcher_.close();
    EXPECT_EQ(first.code(), Errc::pool_unavailable);
    EXPECT_EQ(second.code(), Errc::pool_unavailable);
    EXPECT_EQ(park("qwen").code(), Errc::pool_unavailable);
    EXPECT_EQ(dispatcher_.waiting(), 0U);
    EXPECT_EQ(a_->waiters() + b_->waiters(), 0U);
}

}  // namespace
}  // namespace orch::control::gateway
