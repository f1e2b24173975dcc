#include "base/rng.hpp"
#include "control/registry/node_table.hpp"

#include <gtest/gtest.h>

#include <map>

// Random events in virtual time; what must hold is checked after each of them.
namespace orch::control::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kTimeout = seconds(30);
constexpr auto kForget = seconds(120);
constexpr std::uint64_t kNodes = 4;
constexpr std::uint64_t kPools = 3;

class Storm {
public:
    explicit Storm(std::uint64_t seed) : rng_(seed) {}

    void step() {
        now_ += milliseconds(rng_.below(4000));
        table_.expire(now_);
        const NodeId node = any_node();
        switch (rng_.below(8)) {
            case 0:
                enroll(node);
                break;
            case 1:
                ASSERT_EQ(table_.deregister(node).has_value(), alive_.erase(node) != 0);
                break;
            case 2:
                static_cast<void>(table_.set_cordoned(node, rng_.below(2) == 0));
                break;
            default:
                send_beat(node);
        }
    }

    void check() {
        check_known();
        check_deadlines();
        check_view();
    }

private:
    struct Life {
        Instant heard;
        bool beaten = false;
    };

    NodeId any_node() { return NodeId("n" + std::to_string(rng_.below(kNodes))); }

    Stamp stamp() const { return {now_, WallTime{}}; }

    void enroll(const NodeId& node) {
        api::RegisterRequest message;
        message.node_id = node;
        message.machine_id = MachineId("m");
        message.address = "http://" + node.str() + ":9200";
        message.boot_id = std::to_string(rng_.below(2));
        const auto outcome = table_.register_node(message, stamp());
        ASSERT_TRUE(outcome);
        table_.set_reachability(node, outcome->registration, rng_.below(4) != 0, "no answer");
        boots_[node] = *message.boot_id;
        alive_[node].heard = now_;
    }

    void send_beat(const NodeId& node) {
        api::HeartbeatRequest message;
        message.boot_id = boots_[node];
        message.seq = ++seq_;
        for (std::uint64_t p = 0; p < kPools; ++p) {
            if (rng_.below(4) != 0) {
                message.pools.push_back(make_report("p" + std::to_string(p)));
            }
        }
        const bool known = alive_.contains(node);
        ASSERT_EQ(table_.heartbeat(node, message, stamp()).has_value(), known);
        if (known) {
            alive_[node] = {now_, true};
        }
    }

    api::PoolReport make_report(const std::string& id) {
        api::PoolReport pool;
        pool.pool_id = PoolId(id);
        pool.ready = rng_.below(3) != 0;
        pool.draining = rng_.below(8) == 0;
        pool.slots_total = 1 + static_cast<std::uint32_t>(rng_.below(4));
        pool.slots_free = static_cast<std::uint32_t>(rng_.below(pool.slots_total + 1));
        pool.active_leases = static_cast<std::uint32_t>(rng_.below(6));
        pool.models_available = {"model-" + std::to_string(rng_.below(2))};
        return pool;
    }

    // Silence ends a node's life in two steps, and nothing else does.
    void check_known() {
        std::erase_if(alive_, [&](const auto& entry) {
            return now_ >= entry.second.heard + kTimeout + kForget;
        });
        const auto listed = table_.list(now_);
        ASSERT_EQ(listed.size(), alive_.size());
        for (const api::NodeInfo& info : listed) {
            const Life& life = alive_.at(info.node_id);
            const bool silent = now_ >= life.heard + kTimeout;
            ASSERT_EQ(info.status == NodeStatus::offline, silent) << info.node_id.str();
            ASSERT_TRUE(!info.online || life.beaten);
        }
    }

    void check_deadlines() {
        const auto deadline = table_.next_deadline();
        ASSERT_EQ(deadline.has_value(), !alive_.empty());
        ASSERT_TRUE(!deadline || *deadline > now_);
    }

    // The index of the view says what its blocks say, and no count leaves its bounds.
    void check_view() {
        const auto view = table_.view();
        std::map<std::string, std::size_t> listed;
        for (const view::NodeBlockPtr& node : view->nodes()) {
            ASSERT_EQ(view->find_node(node->id), node.get());
            ASSERT_FALSE(node->takes_work() && !node->online);
            for (const view::PoolBlock& pool : node->pools) {
                ASSERT_LE(pool.cell->capacity(), pool.slots_total);
                ASSERT_LE(pool.busy(), pool.slots_total);
                listed[pool.models.empty() ? "" : pool.models.front()] += 1;
            }
        }
        for (const std::string model : {"model-0", "model-1"}) {
            ASSERT_EQ(view->find_model(model).size(), listed[model]);
            for (const view::PoolRef ref : view->find_model(model)) {
                ASSERT_TRUE(view->pool(ref).lists(model));
            }
        }
    }

    Rng rng_;
    Instant now_{std::chrono::hours(1)};
    NodeTable table_{{.node_timeout = kTimeout, .forget_after = kForget}, now_};
    std::map<NodeId, Life> alive_;
    std::map<NodeId, std::string> boots_;
    std::uint64_t seq_ = 0;
};

TEST(NodeTableStorm, KeepsItsPromisesUnderRandomEvents) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        Storm storm(seed);
        for (int step = 0; step < 500 && !testing::Test::HasFatalFailure(); ++step) {
            storm.step();
            storm.check();
        }
    }
}

}  // namespace
}  // namespace orch::control::registry
