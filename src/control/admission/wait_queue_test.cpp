#include "control/admission/wait_queue.hpp"

#include "base/rng.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

namespace orch::control::admission {
namespace {

using std::chrono::seconds;

Instant at(int second) {
    return Instant(seconds(second));
}

const PoolKey kPool{NodeId("n"), PoolId("p")};
const PoolKey kOther{NodeId("n"), PoolId("q")};

Ticket ticket(std::uint64_t id, std::string name) {
    Ticket made;
    made.id = TicketId{id};
    made.name = std::move(name);
    return made;
}

std::vector<TicketId> ids(std::initializer_list<std::uint64_t> numbers) {
    std::vector<TicketId> list;
    std::ranges::transform(numbers, std::back_inserter(list), [](std::uint64_t n) {
        return TicketId{n};
    });
    return list;
}

std::vector<TicketId> offer(
    const WaitQueue& queue, std::vector<std::string> names, std::size_t slots = 10
) {
    return queue.candidates_for(kPool, names, slots);
}

TEST(WaitQueue, ServesInOrderOfArrival) {
    WaitQueue queue({});
    EXPECT_EQ(queue.park(ticket(1, "m"), at(1)), 0U);
    EXPECT_EQ(queue.park(ticket(2, "m"), at(1)), 1U);
    EXPECT_EQ(queue.park(ticket(3, "m"), at(2)), 2U);
    EXPECT_EQ(queue.head("m")->id, TicketId{1});
    EXPECT_EQ(offer(queue, {"m"}), ids({1, 2, 3}));
    EXPECT_EQ(offer(queue, {"m"}, 2), ids({1, 2}));
    EXPECT_TRUE(offer(queue, {"m"}, 0).empty());
    EXPECT_EQ(queue.position(TicketId{3}), 2U);
}

TEST(WaitQueue, OfferingTakesNothingOut) {
    WaitQueue queue({});
    ASSERT_TRUE(queue.park(ticket(1, "m"), at(1)));
    offer(queue, {"m"});
    EXPECT_EQ(queue.depth("m"), 1U);
}

TEST(WaitQueue, RefusesBeyondItsCapacityPerName) {
    WaitQueue queue({.capacity = 2});
    ASSERT_TRUE(queue.park(ticket(1, "m"), at(0)));
    ASSERT_TRUE(queue.park(ticket(2, "m"), at(0)));
    const auto refused = queue.park(ticket(3, "m"), at(0));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::admission_reject);
    EXPECT_TRUE(refused.error().message.contains("'m'"));
    EXPECT_TRUE(queue.park(ticket(4, "other"), at(0)));
    EXPECT_TRUE(queue.park(ticket(5, ""), at(0)));
    EXPECT_EQ(queue.depth(), 4U);
    EXPECT_EQ(queue.find(TicketId{3}), nullptr);
    EXPECT_EQ(queue.turned_away(), 1U);
}

TEST(WaitQueue, HasRoomAgainWhenOneLeaves) {
    WaitQueue queue({.capacity = 1});
    ASSERT_TRUE(queue.park(ticket(1, "m"), at(0)));
    ASSERT_FALSE(queue.park(ticket(2, "m"), at(0)));
    EXPECT_EQ(queue.remove(TicketId{1})->id, TicketId{1});
    EXPECT_TRUE(queue.park(ticket(2, "m"), at(0)));
    EXPECT_FALSE(queue.remove(TicketId{1}));
}

TEST(WaitQueue, RefusesAllWithNoCapacity) {
    WaitQueue queue({.capacity = 0});
    EXPECT_FALSE(queue.park(ticket(1, "m"), at(0)));
}

TEST(WaitQueue, ExpiresExactlyAtTheTimeout) {
    WaitQueue queue({.queue_timeout = seconds(60)});
    EXPECT_EQ(queue.next_deadline(), std::nullopt);
    ASSERT_TRUE(queue.park(ticket(1, "m"), at(0)));
    ASSERT_TRUE(queue.park(ticket(2, "other"), at(1)));
    EXPECT_EQ(queue.next_deadline(), at(60));
    EXPECT_TRUE(queue.expire(at(60) - Duration(1)).empty());
    const auto expired = queue.expire(at(60));
    ASSERT_EQ(expired.size(), 1U);
    EXPECT_EQ(expired[0].id, TicketId{1});
    EXPECT_EQ(queue.next_deadline(), at(61));
    EXPECT_EQ(queue.head("m"), nullptr);
}

TEST(WaitQueue, MergesQueuesOfAPoolOldestFirst) {
    WaitQueue queue({});
    ASSERT_TRUE(queue.park(ticket(1, "b"), at(1)));
    ASSERT_TRUE(queue.park(ticket(2, "a"), at(2)));
    ASSERT_TRUE(queue.park(ticket(3, ""), at(3)));
    ASSERT_TRUE(queue.park(ticket(4, "b"), at(4)));
    ASSERT_TRUE(queue.park(ticket(5, "c"), at(0)));
    EXPECT_EQ(offer(queue, {"a", "b", ""}), ids({1, 2, 3, 4}));
    EXPECT_EQ(offer(queue, {"a", "b", ""}, 2), ids({1, 2}));
    EXPECT_EQ(offer(queue, {"a"}), ids({2}));
    EXPECT_TRUE(offer(queue, {"nobody"}).empty());
    EXPECT_EQ(offer(queue, {"a", "a"}), ids({2}));
}

TEST(WaitQueue, PassesOverTicketsThatThePoolRefused) {
    WaitQueue queue({});
    ASSERT_TRUE(queue.park(ticket(1, "m"), at(1)));
    ASSERT_TRUE(queue.park(ticket(2, "m"), at(2)));
    queue.exclude(TicketId{1}, kPool);
    EXPECT_EQ(offer(queue, {"m"}, 1), ids({2}));
    EXPECT_EQ(queue.candidates_for(kOther, std::vector<std::string>{"m"}, 1), ids({1}));
    queue.clear_exclusions();
    EXPECT_EQ(offer(queue, {"m"}, 1), ids({1}));
}

TEST(WaitQueue, GivesAReturnedTicketItsOldPlaceAndDeadline) {
    WaitQueue queue({.capacity = 2, .queue_timeout = seconds(60)});
    ASSERT_TRUE(queue.park(ticket(1, "m"), at(1)));
    ASSERT_TRUE(queue.park(ticket(2, "m"), at(2)));
    auto taken = queue.remove(TicketId{1});
    ASSERT_TRUE(taken);
    ASSERT_TRUE(queue.park(ticket(3, "m"), at(3)));
    EXPECT_EQ(queue.park_again(std::move(*taken)), 0U);
    EXPECT_EQ(offer(queue, {"m"}), ids({1, 2, 3}));
    EXPECT_EQ(queue.next_deadline(), at(61));
    EXPECT_FALSE(queue.park(ticket(4, "m"), at(4)));
}

TEST(WaitQueue, NamesItsQueues) {
    WaitQueue queue({});
    ASSERT_TRUE(queue.park(ticket(1, "b"), at(1)));
    ASSERT_TRUE(queue.park(ticket(2, ""), at(1)));
    EXPECT_EQ(queue.names(), (std::vector<std::string>{"", "b"}));
    EXPECT_EQ(queue.in_order(), ids({1, 2}));
    queue.remove(TicketId{1});
    EXPECT_EQ(queue.names(), (std::vector<std::string>{""}));
    EXPECT_EQ(queue.depth("b"), 0U);
}

TEST(WaitQueue, FollowsNewSettings) {
    WaitQueue queue({.capacity = 2, .queue_timeout = seconds(60)});
    ASSERT_TRUE(queue.park(ticket(1, "m"), at(0)));
    ASSERT_TRUE(queue.park(ticket(2, "m"), at(0)));
    queue.set_config({.capacity = 1, .queue_timeout = seconds(10)});
    EXPECT_EQ(queue.depth("m"), 2U);
    EXPECT_FALSE(queue.park(ticket(3, "m"), at(1)));
    EXPECT_EQ(queue.expire(at(10)).size(), 2U);
}

// A plain model beside the queue, the same random events to both.
class Model {
public:
    static constexpr std::size_t kCapacity = 5;
    static constexpr int kTimeout = 20;

    std::deque<Ticket>& lane(const std::string& name) { return lanes_[name]; }

    std::size_t total() const {
        std::size_t sum = 0;
        for (const auto& [name, lane] : lanes_) {
            sum += lane.size();
        }
        return sum;
    }

    bool erase(TicketId id) {
        for (auto& [name, lane] : lanes_) {
            if (std::erase_if(lane, [&](const Ticket& t) { return t.id == id; }) != 0) {
                return true;
            }
        }
        return false;
    }

    std::size_t expire(Instant now) {
        std::size_t gone = 0;
        for (auto& [name, lane] : lanes_) {
            gone += std::erase_if(lane, [&](const Ticket& t) {
                return t.since + seconds(kTimeout) <= now;
            });
        }
        return gone;
    }

private:
    std::map<std::string, std::deque<Ticket>> lanes_;
};

TEST(WaitQueue, IsBoundedFifoAndLosesNoTicket) {
    const std::vector<std::string> names{"", "a", "b"};
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(seed);
        Rng rng(seed);
        Model model;
        WaitQueue queue({.capacity = Model::kCapacity, .queue_timeout = seconds(Model::kTimeout)});
        std::uint64_t next = 1;
        int now = 0;
        std::uint64_t admitted = 0;
        std::uint64_t ended = 0;
        for (int step = 0; step < 500; ++step) {
            now += static_cast<int>(rng.below(3));
            const std::string& name = names[rng.below(names.size())];
            switch (rng.below(4)) {
                case 0:
                case 1: {
                    Ticket made = ticket(next++, name);
                    made.since = at(now);
                    const bool room = model.lane(name).size() < Model::kCapacity;
                    ASSERT_EQ(queue.park(made, at(now)).has_value(), room);
                    if (room) {
                        model.lane(name).push_back(made);
                        ++admitted;
                    }
                    break;
                }
                case 2: {
                    const TicketId id{1 + rng.below(next)};
                    const bool waited = model.erase(id);
                    ASSERT_EQ(queue.remove(id).has_value(), waited);
                    ended += waited ? 1 : 0;
                    break;
                }
                default: {
                    const std::size_t gone = model.expire(at(now));
                    ASSERT_EQ(queue.expire(at(now)).size(), gone);
                    ended += gone;
                }
            }
            for (const std::string& each : names) {
                const auto& lane = model.lane(each);
                ASSERT_EQ(queue.depth(each), lane.size());
                ASSERT_LE(queue.depth(each), Model::kCapacity);
                const auto order = offer(queue, {each});
                ASSERT_TRUE(std::ranges::equal(order, lane, {}, {}, &Ticket::id));
            }
            ASSERT_EQ(queue.depth(), model.total());
            ASSERT_EQ(admitted, ended + queue.depth());
        }
    }
}

}  // namespace
}  // namespace orch::control::admission
