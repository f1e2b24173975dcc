#include "node/enroll/enroll_fsm.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace orch::node::enroll {
namespace {

using namespace std::chrono_literals;

// A control plane that forgets everybody whenever it is down, which it is every other half hour.
class ForgetfulControlPlane {
public:
    explicit ForgetfulControlPlane(std::size_t nodes) : known_(nodes) {}

    static std::int64_t period(Instant at) { return at.time_since_epoch() / kPeriod; }

    static Duration into_period(Instant at) { return at.time_since_epoch() % kPeriod; }

    static bool is_up(Instant at) { return period(at) % 2 == 0; }

    EnrollEvent answer_register(std::size_t node, Instant at) {
        ++messages;
        if (!is_up(at)) {
            return enroll_event::RegisterAnswered{RegisterOutcome::unreachable, {}, "down"};
        }
        known_[node] = {period(at), into_period(at)};
        return enroll_event::RegisterAnswered{RegisterOutcome::accepted, {}, {}};
    }

    EnrollEvent answer_beat(std::size_t node, Instant at) {
        ++messages;
        const auto outcome = !is_up(at)        ? HeartbeatOutcome::unreachable
                             : knows(node, at) ? HeartbeatOutcome::accepted
                                               : HeartbeatOutcome::unknown_node;
        return enroll_event::HeartbeatAnswered{outcome, {}, "beat"};
    }

    bool knows(std::size_t node, Instant at) const { return known_[node].first == period(at); }

    // How long after the restart it learnt about the node.
    Duration delay(std::size_t node) const { return known_[node].second; }

    std::uint64_t messages = 0;

private:
    static constexpr Duration kPeriod = 30min;

    std::vector<std::pair<std::int64_t, Duration>> known_;  // period of the registration, and when
};

class Fleet {
public:
    Fleet(std::size_t size, ForgetfulControlPlane& control) : control_(control), sequences_(size) {
        for (std::size_t i = 0; i < size; ++i) {
            nodes_.emplace_back(EnrollConfig{}, sequences_[i], rng_);
            drive(i, enroll_event::Start{}, Instant{} + Duration(rng_.below(10'000'000'000)));
        }
    }

    // Lets the next timer expire; which node's, and when.
    std::pair<Instant, std::size_t> step() {
        const auto [at, node] = wakes_.top();
        wakes_.pop();
        drive(node, enroll_event::TimerExpired{}, at);
        return {at, node};
    }

private:
    void drive(std::size_t node, const EnrollEvent& event, Instant at) {
        for (const EnrollAction& action : nodes_[node].resume(event, at)) {
            if (const auto* wait = std::get_if<enroll_action::WaitUntil>(&action)) {
                wakes_.emplace(wait->at, node);
            } else if (std::holds_alternative<enroll_action::SendRegister>(action)) {
                drive(node, control_.answer_register(node, at), at);
            } else {
                drive(node, control_.answer_beat(node, at), at);
            }
        }
    }

    using Wake = std::pair<Instant, std::size_t>;

    ForgetfulControlPlane& control_;
    Rng rng_{5};
    std::vector<BeatSequence> sequences_;
    std::vector<EnrollFsm> nodes_;
    std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
};

TEST(EnrollFsmDay, EveryRestartOfTheControlPlaneIsHealedWithinOneInterval) {
    constexpr std::size_t kNodes = 16;
    ForgetfulControlPlane control(kNodes);
    Fleet fleet(kNodes, control);
    std::uint64_t checked = 0;
    for (Instant at{}; at < Instant{} + 24h;) {
        const auto [now, node] = fleet.step();
        at = now;
        if (ForgetfulControlPlane::is_up(at) && ForgetfulControlPlane::into_period(at) > 10s) {
            ASSERT_TRUE(control.knows(node, at));
            ASSERT_LE(control.delay(node), Duration(10s));
            ++checked;
        }
    }
    EXPECT_GT(checked, kNodes * 4000);
    // A beat each ten seconds, a registration after each outage, and no more.
    EXPECT_LT(control.messages, kNodes * (24 * 360 + 200));
}

}  // namespace
}  // namespace orch::node::enroll
