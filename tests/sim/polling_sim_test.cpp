#include "control/fleet/node_poller.hpp"
#include "sim/sim_cluster.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <set>

// Nodes are polled, joined or added by hand, well or hanging: in virtual time.
namespace orch::sim {
namespace {

using namespace std::chrono_literals;
using control::fleet::NodePoller;
using control::fleet::StatusAnswer;
using control::view::Endpoint;

constexpr Duration kInterval = 5s;
constexpr Duration kSlow = 20s;     // for tests that last for days
constexpr Duration kPatience = 2s;  // of the poller
constexpr Duration kAnswer = 20ms;

// Answers for every node as the simulation has it: after a moment, or never.
class SimSource final : public control::fleet::NodeStatusSource {
public:
    struct Host {
        api::NodeStatusBody body;
        bool hangs = false;
        bool earlier = false;  // of the earlier wire format
        std::uint64_t asked = 0;
    };

    explicit SimSource(async::SimClock& clock) : clock_(clock) {}

    Task<StatusAnswer> ask(Endpoint endpoint, std::vector<PoolId> pools) override {
        asked_at_.push_back(clock_.now());
        ++under_way_;
        most_under_way_ = std::max(most_under_way_, under_way_);
        Host& host = hosts[endpoint.host];
        ++host.asked;
        const bool hangs = host.hangs;
        co_await clock_.sleep_for(hangs ? kPatience : kAnswer);
        --under_way_;
        if (hangs) {
            co_return StatusAnswer{StatusAnswer::Outcome::timeout, "no answer in time", {}, {}};
        }
        StatusAnswer answer{StatusAnswer::Outcome::success, {}, {}, {}};
        if (host.earlier) {
            for (const PoolId& pool : pools) {
                api::PoolStatus status;
                status.pool_id = pool;
                status.ready = false;
                answer.pools.push_back(std::move(status));
            }
            co_return answer;
        }
        answer.body = host.body;
        co_return answer;
    }

    // The most polls that began within `span`.
    std::size_t busiest(Duration span) const {
        std::size_t most = 0;
        auto first = asked_at_.begin();
        for (auto last = asked_at_.begin(); last != asked_at_.end(); ++last) {
            while (*last - *first > span) {
                ++first;
            }
            most = std::max(most, static_cast<std::size_t>(last - first) + 1);
        }
        return most;
    }

    std::size_t most_under_way() const { return most_under_way_; }

    std::size_t asked() const { return asked_at_.size(); }

    std::map<std::string, Host> hosts;

private:
    async::SimClock& clock_;
    std::deque<Instant> asked_at_;
    std::size_t under_way_ = 0;
    std::size_t most_under_way_ = 0;
};

std::string host_name(std::size_t index) {
    return fmt::format("10.0.{}.{}", index / 250, index % 250);
}

api::NodeStatusBody body_of(const std::string& id) {
    api::NodeStatusBody body;
    body.node_id = NodeId(id);
    body.machine_id = MachineId("m-" + id);
    body.boot_id = "b1";
    body.pools = {sim_pool("chat", "qwen", 2)};
    return body;
}

std::size_t lines_with(const std::string& text, std::string_view part) {
    std::size_t lines = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++lines;
    }
    return lines;
}

// A cluster whose control plane polls.
struct Polling {
    explicit Polling(std::size_t nodes, Duration interval = kInterval)
        : cluster(
              1,
              nodes,
              [](std::size_t) { return std::vector{sim_pool("chat", "qwen", 2)}; },
              [](const auto&) {}
          ),
          source(cluster.clock()),
          probe(cluster.metrics()),
          poller(
              {.interval = interval},
              1,
              {cluster.clock(), cluster.tasks(), source, cluster.registry(), statics, probe},
              Logger(cluster.sink(), "poller")
          ) {
        poller.start();
        for (std::size_t i = 0; i < nodes; ++i) {
            cluster.node(i).host = host_name(i);
            source.hosts[host_name(i)].body = body_of(cluster.node(i).id.str());
        }
    }

    ~Polling() { cluster.end_tasks(); }

    void add_static(const std::string& host) {
        const api::HttpAddress address{false, host, 9200};
        statics.add(address, true);
        cluster.registry().expect_static(
            control::fleet::placeholder_id(address), control::fleet::endpoint_of(address)
        );
        poller.add_static(api::to_string(address), false);
        cluster.run_for(kAnswer);
    }

    std::optional<api::NodeInfo> info(const std::string& id) {
        auto node = cluster.registry().table().get(NodeId(id), cluster.now());
        return node ? std::optional(std::move(*node)) : std::nullopt;
    }

    SimCluster cluster;
    control::fleet::StaticNodes statics;
    SimSource source;
    control::fleet::PollProbe probe;
    NodePoller poller;
};

TEST(PollingSim, AThousandNodesArePolledEvenlyAndAllHeartbeatsCount) {
    constexpr std::size_t kNodes = 1000;
    Polling polling(kNodes);
    SimCluster& cluster = polling.cluster;
    for (std::size_t i = 0; i < kNodes; ++i) {
        cluster.start_node(i);
    }
    cluster.run_for(25s);
    EXPECT_EQ(cluster.view()->nodes_online(), kNodes);
    EXPECT_EQ(cluster.view()->pools_ready(), kNodes);
    EXPECT_EQ(cluster.bugs(), 0U);
    EXPECT_GE(cluster.heartbeats(), kNodes * 2);

    EXPECT_GE(polling.source.asked(), kNodes * 4);
    EXPECT_LE(polling.source.asked(), kNodes * 5);
    EXPECT_LT(polling.source.busiest(100ms), 60U) << "20 would be perfectly even";
    EXPECT_LT(polling.source.most_under_way(), 40U) << "20 are asked together on average";

    const std::string metrics = cluster.metrics().expose();
    EXPECT_EQ(lines_with(metrics, "orchd_pool_health_checks_total{"), kNodes);
    EXPECT_EQ(lines_with(metrics, "orchd_pool_health_check_duration_ms_sum{"), kNodes);
    EXPECT_TRUE(metrics.contains(
        R"(orchd_pool_health_check_duration_ms_bucket{node_id="n7",pool_id="chat",le="25"})"
    ));
}

TEST(PollingSim, TheSeriesOfNodesThatAreGoneAreGone) {
    constexpr std::size_t kNodes = 20;
    Polling polling(kNodes);
    SimCluster& cluster = polling.cluster;
    for (std::size_t i = 0; i < kNodes; ++i) {
        cluster.start_node(i);
    }
    cluster.run_for(12s);
    for (std::size_t i = 0; i < kNodes; ++i) {
        cluster.node(i).silent_until = Instant::max();
        ASSERT_TRUE(cluster.registry().deregister(cluster.node(i).id));
    }
    cluster.run_for(12s);
    EXPECT_EQ(polling.poller.targets(), 0U);
    EXPECT_FALSE(cluster.metrics().expose().contains("node_id=\"n"));
}

TEST(PollingSim, NodesThatHangHoldUpNobody) {
    constexpr std::size_t kNodes = 1000;
    Polling polling(kNodes);
    SimCluster& cluster = polling.cluster;
    for (std::size_t i = 0; i < kNodes; ++i) {
        cluster.start_node(i);
        polling.source.hosts[host_name(i)].hangs = i % 2 == 0;
    }
    cluster.run_for(20s);
    EXPECT_LE(polling.source.most_under_way(), 128U);
    for (std::size_t i = 1; i < kNodes; i += 2) {
        ASSERT_GE(polling.source.hosts[host_name(i)].asked, 3U) << i;
    }
    EXPECT_EQ(cluster.view()->nodes_online(), kNodes) << "their heartbeats count";
    const std::string metrics = cluster.metrics().expose();
    EXPECT_TRUE(metrics.contains(
        R"(orchd_pool_health_checks_total{node_id="n0",pool_id="chat",outcome="timeout"})"
    ));
    EXPECT_FALSE(metrics.contains(
        R"(orchd_pool_health_checks_total{node_id="n0",pool_id="chat",outcome="success"})"
    ));
}

TEST(PollingSim, APollIsNoHeartbeat) {
    Polling polling(1);
    SimCluster& cluster = polling.cluster;
    cluster.start_node(0);
    cluster.run_for(12s);
    cluster.node(0).silent_until = cluster.now() + 1h;
    cluster.run_for(31s);
    EXPECT_EQ(cluster.status(0), NodeStatus::offline);
    const std::uint64_t asked = polling.source.hosts[host_name(0)].asked;
    cluster.run_for(60s);
    EXPECT_EQ(cluster.status(0), NodeStatus::offline);
    EXPECT_GE(polling.source.hosts[host_name(0)].asked, asked + 11) << "it is still asked";
}

TEST(PollingSim, ThreePollsInARowMustFailAndOneMustNot) {
    Polling polling(2);
    SimCluster& cluster = polling.cluster;
    cluster.start_node(0);
    cluster.start_node(1);
    cluster.run_for(12s);
    polling.source.hosts[host_name(0)].hangs = true;
    cluster.run_for(2 * kInterval + kPatience);
    EXPECT_TRUE(polling.info("n0")->reachable) << "two may be an accident";
    cluster.run_for(kInterval);
    EXPECT_FALSE(polling.info("n0")->reachable);
    EXPECT_EQ(polling.info("n0")->unreachable_reason, "no answer in time");
    EXPECT_EQ(cluster.view()->pools_ready(), 1U);
    polling.source.hosts[host_name(0)].hangs = false;
    cluster.run_for(kInterval + kAnswer);
    EXPECT_TRUE(polling.info("n0")->reachable);
    EXPECT_EQ(cluster.status(0), NodeStatus::online) << "its heartbeats came all the time";
}

TEST(PollingSim, WhenAllSeemSilentHalfKeepTheirWork) {
    constexpr std::size_t kNodes = 10;
    Polling polling(kNodes);
    SimCluster& cluster = polling.cluster;
    for (std::size_t i = 0; i < kNodes; ++i) {
        cluster.start_node(i);
    }
    cluster.run_for(12s);
    for (std::size_t i = 0; i < kNodes; ++i) {
        polling.source.hosts[host_name(i)].hangs = true;
    }
    cluster.run_for(5 * kInterval);
    EXPECT_EQ(cluster.view()->pools_ready(), kNodes / 2);
    for (std::size_t i = 0; i < kNodes; ++i) {
        EXPECT_FALSE(polling.info(fmt::format("n{}", i))->reachable) << i;
    }
}

TEST(PollingSim, APollTellsOfAPoolBeforeTheNextHeartbeat) {
    Polling polling(1);
    SimCluster& cluster = polling.cluster;
    cluster.start_node(0);
    cluster.run_for(1s);
    polling.source.hosts[host_name(0)].body.pools[0].ready = false;
    polling.source.hosts[host_name(0)].body.seq = 1000;
    cluster.run_for(kInterval + kAnswer);
    EXPECT_EQ(cluster.view()->pools_ready(), 0U);
}

TEST(PollingSim, AnEarlierNodeIsAskedForEachOfItsPools) {
    Polling polling(1);
    SimCluster& cluster = polling.cluster;
    polling.source.hosts[host_name(0)].earlier = true;
    cluster.start_node(0);
    cluster.run_for(100ms);
    ASSERT_EQ(polling.info("n0")->pools[0].slots_total, 2U);
    cluster.run_for(kInterval);
    EXPECT_FALSE(polling.info("n0")->pools[0].ready) << "it says so when asked";
    EXPECT_EQ(polling.info("n0")->pools[0].slots_total, 2U) << "it does not speak of slots";
    EXPECT_TRUE(cluster.metrics().expose().contains(
        R"(orchd_pool_health_checks_total{node_id="n0",pool_id="chat",outcome="success"} 1)"
    ));
}

TEST(PollingSim, AStaticNodeIsOnlineForAsLongAsItAnswers) {
    Polling polling(0, kSlow);
    SimCluster& cluster = polling.cluster;
    polling.source.hosts["gpu"].body = body_of("gpu-1");
    polling.add_static("gpu");
    EXPECT_EQ(polling.info("gpu-1")->status, NodeStatus::online);
    EXPECT_EQ(polling.info("gpu-1")->address, "http://gpu:9200");
    EXPECT_TRUE(polling.info("gpu-1")->reachable);
    EXPECT_FALSE(polling.info("gpu-9200")) << "nobody needs the placeholder any more";
    EXPECT_EQ(cluster.view()->pools_ready(), 1U);
    cluster.run_for(10min);
    EXPECT_EQ(polling.info("gpu-1")->status, NodeStatus::online);
    EXPECT_NEAR(static_cast<double>(polling.source.hosts["gpu"].asked), 30, 2);

    polling.source.hosts["gpu"].hangs = true;
    cluster.run_for(9s);
    EXPECT_EQ(polling.info("gpu-1")->status, NodeStatus::online) << "its deadline is to come";
    cluster.run_for(2 * kSlow + kPatience);
    EXPECT_EQ(polling.info("gpu-1")->status, NodeStatus::offline);
    EXPECT_EQ(polling.info("gpu-1")->unreachable_reason, "no answer in time");
    cluster.run_for(25h);
    ASSERT_TRUE(polling.info("gpu-1")) << "it is listed for as long as it is configured";
    polling.source.hosts["gpu"].hangs = false;
    cluster.run_for(kSlow + kAnswer);
    EXPECT_EQ(polling.info("gpu-1")->status, NodeStatus::online);
    EXPECT_EQ(cluster.view()->pools_ready(), 1U);
}

TEST(PollingSim, AStaticNodeThatHasNeverAnsweredIsListedWithTheReason) {
    Polling polling(0, kSlow);
    polling.source.hosts["gpu"].hangs = true;
    polling.add_static("gpu");
    EXPECT_EQ(polling.info("gpu-9200")->status, NodeStatus::registering);
    EXPECT_EQ(polling.info("gpu-9200")->unreachable_reason, "it has not answered yet");
    polling.cluster.run_for(kPatience);
    EXPECT_EQ(polling.info("gpu-9200")->unreachable_reason, "no answer in time");
    EXPECT_FALSE(polling.info("gpu-9200")->online);
    polling.cluster.run_for(25h);
    EXPECT_TRUE(polling.info("gpu-9200")) << "for as long as it is configured";
}

TEST(PollingSim, TwoUrlsOfOneNodeAreOneNode) {
    Polling polling(0);
    polling.source.hosts["a"].body = body_of("gpu-1");
    polling.source.hosts["b"].body = body_of("gpu-1");
    polling.add_static("a");
    polling.add_static("b");
    EXPECT_EQ(polling.info("gpu-1")->address, "http://a:9200");
    EXPECT_EQ(
        polling.info("b-9200")->unreachable_reason, "node_id 'gpu-1' answers at http://a:9200 too"
    );
}

TEST(PollingSim, AnotherNodeBehindAStaticUrlTakesThePlace) {
    Polling polling(0, kSlow);
    polling.source.hosts["gpu"].body = body_of("gpu-1");
    polling.add_static("gpu");
    polling.source.hosts["gpu"].body = body_of("gpu-2");
    polling.cluster.run_for(kSlow + kAnswer);
    EXPECT_EQ(polling.info("gpu-2")->status, NodeStatus::online);
    polling.cluster.run_for(1min);
    EXPECT_EQ(polling.info("gpu-1")->status, NodeStatus::offline);
    polling.cluster.run_for(25h);
    EXPECT_FALSE(polling.info("gpu-1")) << "it is forgotten like any other";
}

TEST(PollingSim, ANodeThatJoinsAndIsAddedByHandIsPolledOnce) {
    Polling polling(1);
    polling.cluster.start_node(0);
    polling.cluster.run_for(12s);
    const std::uint64_t asked = polling.source.hosts[host_name(0)].asked;
    polling.add_static(host_name(0));
    polling.cluster.run_for(1min);
    EXPECT_LE(polling.source.hosts[host_name(0)].asked, asked + 14);
    EXPECT_EQ(polling.poller.targets(), 1U);
}

}  // namespace
}  // namespace orch::sim
