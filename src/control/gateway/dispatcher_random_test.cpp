#include "base/rng.hpp"
#include "control/gateway/cluster_fixture.hpp"
#include "control/gateway/dispatcher.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <utility>

// Random traffic against what must hold whatever happens: each wait ends once, no slot is claimed
// twice or lost, and nobody's waiter stays behind.
namespace orch::control::gateway {
namespace {

using namespace std::chrono_literals;
using admission::TicketId;

class Traffic {
public:
    explicit Traffic(std::uint64_t seed) : rng_(seed) {
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            cells_[i] = std::make_shared<LoadCell>(static_cast<std::uint32_t>(1 + rng_.below(3)));
        }
        new_view();
    }

    void step() {
        now_ += std::chrono::milliseconds(rng_.below(2000));
        switch (rng_.below(12)) {
            case 0:
                new_view();
                break;
            case 1:
                dispatcher_.retry_refused(now_);
                break;
            case 2:
                dispatcher_.expire(now_);
                break;
            case 3:
                leave();
                break;
            case 4:
            case 5:
            case 6:
                give_back();
                break;
            default:
                arrive();
                break;
        }
        check();
    }

    // Everybody is served or leaves; then every cell must be as new.
    void drain() {
        dispatcher_.close();
        while (!held_.empty()) {
            give_back();
        }
        EXPECT_EQ(dispatcher_.waiting(), 0U);
        for (const auto& cell : cells_) {
            EXPECT_EQ(cell->waiters(), 0U);
            EXPECT_EQ(cell->claimed(), 0U);
        }
        for (const auto& [request, ends] : ends_) {
            EXPECT_EQ(ends, 1) << "request " << request;
        }
        for (const auto& [name, depth] : depths_) {
            EXPECT_EQ(depth, 0U) << name;
        }
        EXPECT_GT(granted_, 100U);
    }

private:
    static constexpr std::array<const char*, 4> kModels{"x", "y", "z", ""};

    void new_view() {
        std::vector<view::NodeBlock> nodes;
        visible_.clear();
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            if (rng_.below(4) == 0) {
                continue;
            }
            const PoolKey key = key_of("n" + std::to_string(i));
            std::vector<std::string> models{kModels[i % 3]};
            if (i % 2 == 0) {
                models.emplace_back(kModels[(i + 1) % 3]);
            }
            nodes.push_back(node_block(key.node.str(), {pool_block(key, models, cells_[i])}));
            visible_.insert(key);
        }
        view_ = view_of(std::move(nodes));
        dispatcher_.set_view(view_, now_);
    }

    placement::PlacementRequest any_request() {
        placement::PlacementRequest request;
        request.model = kModels[rng_.below(kModels.size())];
        if (rng_.below(4) == 0) {
            request.pin_node = NodeId("n" + std::to_string(rng_.below(cells_.size())));
        }
        if (rng_.below(3) == 0) {
            request.exclude.push_back(key_of("n" + std::to_string(rng_.below(cells_.size()))));
        }
        return request;
    }

    // As an edge does it: a claim past the queue if the cells allow it, else the queue.
    void arrive() {
        placement::PlacementRequest request = any_request();
        const auto decision = decide(*view_, request, {}, ledger_, now_);
        for (const placement::Candidate& candidate : decision.ranked) {
            const std::uint32_t waiters = candidate.pool->cell->waiters();
            if (candidate.pool->cell->try_claim()) {
                EXPECT_EQ(waiters, 0U) << "an edge overtook the queue";
                held_.emplace_back(candidate.pool->key, candidate.pool->cell);
                return;
            }
        }
        const int number = ++requests_;
        ends_[number] = 0;
        const auto ended = [this, number](Result<Grant> grant) { end(number, std::move(grant)); };
        Bid bid{std::move(request)};
        if (rng_.below(2) == 0) {
            std::swap(bid.request.exclude, bid.refused);
        }
        tickets_.emplace_back(dispatcher_.park(std::move(bid), now_, ended));
    }

    void end(int request, Result<Grant> grant) {
        ++ends_[request];
        if (grant) {
            ++granted_;
            EXPECT_TRUE(visible_.contains(grant->pool->key));
            held_.emplace_back(grant->pool->key, grant->pool->cell);
        }
    }

    void leave() {
        if (!tickets_.empty()) {
            dispatcher_.cancel(tickets_[rng_.below(tickets_.size())]);
        }
    }

    void give_back() {
        if (held_.empty()) {
            return;
        }
        std::swap(held_[rng_.below(held_.size())], held_.back());
        const auto [key, cell] = held_.back();
        held_.pop_back();
        if (cell->release()) {
            dispatcher_.slot_freed(key, now_);
        }
    }

    void check() {
        std::map<const LoadCell*, std::uint32_t> held;
        for (const auto& [key, cell] : held_) {
            ++held[cell.get()];
        }
        for (const auto& cell : cells_) {
            ASSERT_EQ(cell->claimed(), held[cell.get()]);
            ASSERT_LE(cell->claimed(), cell->capacity());
        }
        std::size_t depth = 0;
        for (const auto& [name, waiting] : depths_) {
            depth += waiting;
        }
        ASSERT_EQ(depth, dispatcher_.waiting());
    }

    Rng rng_;
    Instant now_{std::chrono::hours(1)};
    std::array<std::shared_ptr<LoadCell>, 6> cells_;
    std::set<PoolKey> visible_;
    view::ClusterViewPtr view_;
    placement::ChoiceLedger ledger_;
    std::map<std::string, std::size_t> depths_;
    std::map<int, int> ends_;  // how often each request's wait has ended
    std::vector<TicketId> tickets_;
    std::vector<std::pair<PoolKey, std::shared_ptr<LoadCell>>> held_;
    int requests_ = 0;
    std::size_t granted_ = 0;
    Dispatcher dispatcher_{
        {.capacity = 8, .queue_timeout = 30s},
        {},
        [this](const std::string& name, admission::Priority, std::size_t depth) {
            depths_[name] = depth;
        }
    };
};

TEST(DispatcherRandom, EveryWaitEndsOnceAndEveryCellIsExact) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        Traffic traffic(seed);
        for (int step = 0; step < 1500 && !testing::Test::HasFailure(); ++step) {
            traffic.step();
        }
        traffic.drain();
    }
}

}  // namespace
}  // namespace orch::control::gateway
