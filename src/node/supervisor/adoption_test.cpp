#include "node/supervisor/supervisor_fixture.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orch::node::supervisor {
namespace {

// What a client of a daemon that was killed has left in an engine: a request that is worked on.
class RequestInEngine {
public:
    explicit RequestInEngine(const std::string& url) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(parse_host_port(url.substr(7)).value().port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as the call wants it
        const auto* generic = reinterpret_cast<const sockaddr*>(&address);
        EXPECT_EQ(::connect(socket_, generic, sizeof address), 0);
        constexpr std::string_view kBody =
            R"({"messages":[{"role":"user","content":"hello"}],"stream":true})";
        const std::string request =
            "POST /v1/chat/completions HTTP/1.1\r\nHost: engine\r\nContent-Length: " +
            std::to_string(kBody.size()) + "\r\n\r\n" + std::string(kBody);
        EXPECT_EQ(::send(socket_, request.data(), request.size(), 0), ssize_t(request.size()));
        char head = 0;
        EXPECT_EQ(::recv(socket_, &head, 1, 0), 1) << "a stream's head comes with its slot";
    }

    ~RequestInEngine() { leave(); }

    RequestInEngine(const RequestInEngine&) = delete;
    RequestInEngine& operator=(const RequestInEngine&) = delete;

    void leave() {
        if (socket_ >= 0) {
            ::close(std::exchange(socket_, -1));
        }
    }

private:
    int socket_;
};

struct AdoptionTest : SupervisorTest {
    // The engine of a daemon that was killed: its pid.
    std::int64_t leave_engine_behind(const lifecycle::PoolSpec& pool) {
        auto killed = daemon(config());
        killed->leaves_engines = true;
        killed->supervisor.start({pool}, {});
        EXPECT_TRUE(killed->run_until_in(ReplicaState::ready));
        const std::int64_t pid = killed->replica()->pid.value();
        killed.reset();
        EXPECT_TRUE(runs(pid));
        return pid;
    }

    std::string record() const { return read(folder / "state/run/chat-r0.json"); }
};

TEST_F(AdoptionTest, AnEngineOfAKilledDaemonServesOn) {
    const std::int64_t pid = leave_engine_behind(spec());
    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_EQ(next->replica()->pid, pid);
    EXPECT_EQ(next->replica()->slots_total, 2U);
    EXPECT_EQ(next->replica()->slots_free(), 2U);
    EXPECT_EQ(next->replica()->log_path, (folder / "state/logs/chat-r0-1.log").string());
    EXPECT_EQ(next->lines.count("was adopted"), 1U);
    EXPECT_EQ(next->lines.count("was started"), 0U);
    const auto handoff = folder / "state/runtime/chat-r0.json";
    EXPECT_TRUE(next->run_until([&] { return std::filesystem::exists(handoff); }));
    EXPECT_TRUE(next->stop());
    EXPECT_FALSE(runs(pid));
    EXPECT_FALSE(exists("state/run/chat-r0.json"));
}

// A daemon that is killed between the start of an engine and its record leaves no record of it.
TEST_F(AdoptionTest, AnEngineWithoutARecordIsFoundAndEnded) {
    const std::int64_t pid = leave_engine_behind(spec());
    std::filesystem::remove(folder / "state/run/chat-r0.json");
    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_NE(next->replica()->pid, pid);
    EXPECT_FALSE(runs(pid));
    EXPECT_EQ(next->lines.count("was ended"), 1U);
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, OneDaemonAfterTheOtherMayBeKilled) {
    const std::int64_t pid = leave_engine_behind(spec());
    EXPECT_EQ(leave_engine_behind(spec()), pid);
    EXPECT_EQ(leave_engine_behind(spec()), pid);
    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_EQ(next->replica()->pid, pid);
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, EachReplicaGetsItsOwnEngineBack) {
    auto two = spec();
    two.replicas = 2;
    const auto pids = [](const Daemon& node) {
        std::vector<std::optional<std::int64_t>> found;
        for (const ReplicaView& replica : node.pool()->replicas) {
            found.push_back(replica.state == ReplicaState::ready ? replica.pid : std::nullopt);
        }
        return found;
    };
    const auto all_ready = [&pids](const Daemon& node) {
        return node.pool() &&
               std::ranges::all_of(pids(node), [](const auto& pid) { return pid.has_value(); });
    };
    auto killed = daemon(config());
    killed->leaves_engines = true;
    killed->supervisor.start({two}, {});
    ASSERT_TRUE(killed->run_until([&] { return all_ready(*killed); }));
    const auto before = pids(*killed);
    ASSERT_EQ(before.size(), 2U);
    killed.reset();
    auto next = daemon(config());
    next->supervisor.start({two}, {});
    ASSERT_TRUE(next->run_until([&] { return all_ready(*next); }));
    EXPECT_EQ(pids(*next), before);
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, APoolOnDemandGoesOnWithTheEngineThatItHas) {
    auto on_demand = spec();
    const std::int64_t pid = leave_engine_behind(on_demand);
    on_demand.on_demand = true;
    auto next = daemon(config());
    next->supervisor.start({on_demand}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_EQ(next->replica()->pid, pid);
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, APoolOnDemandOfWhichOneEngineIsLeftStartsTheOthers) {
    auto on_demand = spec();
    const std::int64_t pid = leave_engine_behind(on_demand);
    on_demand.on_demand = true;
    on_demand.replicas = 2;
    auto next = daemon(config());
    next->supervisor.start({on_demand}, {});
    ASSERT_TRUE(next->run_until([&] {
        return next->pool() &&
               std::ranges::all_of(next->pool()->replicas, [](const ReplicaView& replica) {
                   return replica.state == ReplicaState::ready;
               });
    }));
    EXPECT_EQ(next->pool()->replicas[0].pid, pid);
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, AnEngineThatWasStartedForOtherSettingsIsEndedBeforeItsPoolStarts) {
    const std::int64_t pid = leave_engine_behind(spec());
    auto changed = spec();
    changed.slots = 3;
    auto next = daemon(config());
    next->supervisor.start({changed}, {});
    ASSERT_TRUE(next->run_until([&] { return next->replica()->pid.has_value(); }));
    EXPECT_FALSE(runs(pid));
    EXPECT_EQ(next->lines.count("left behind"), 1U);
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_EQ(next->replica()->slots_total, 3U);
    EXPECT_NE(next->replica()->pid, pid);
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, AnotherModelFileUnderTheSameNameEndsTheEngine) {
    const std::int64_t pid = leave_engine_behind(spec());
    auto unchanged = spec();
    write("tiny.gguf", "another model, put in the place of the first");
    auto next = daemon(config());
    next->supervisor.start({unchanged}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_NE(next->replica()->pid, pid);
    EXPECT_FALSE(runs(pid));
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, AnEngineWhosePoolIsGoneIsEnded) {
    const std::int64_t pid = leave_engine_behind(spec());
    auto other = spec();
    other.id = PoolId("other");
    auto next = daemon(config());
    next->supervisor.start({other}, {});
    ASSERT_TRUE(next->run_until([&] { return next->pool(other.id)->ready(); }));
    EXPECT_FALSE(runs(pid));
    EXPECT_FALSE(exists("state/run/chat-r0.json"));
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, AProcessThatGotThePidLaterIsNeverTouched) {
    const std::int64_t pid = leave_engine_behind(spec());
    auto stranger = lifecycle::run_record_from_json(record()).value();
    kill(static_cast<pid_t>(pid), SIGKILL);
    stranger.pid = getpid();  // which started at another time than the record says
    write("state/run/chat-r0.json", lifecycle::to_json(stranger));
    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_EQ(next->lines.count("was adopted"), 0U);
    EXPECT_NE(next->replica()->pid, getpid());
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, ACopyOfARecordUnderAnotherNameEndsNothing) {
    const std::int64_t pid = leave_engine_behind(spec());
    write("state/run/a-copy.json", record());
    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_EQ(next->replica()->pid, pid);
    EXPECT_FALSE(exists("state/run/a-copy.json"));
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, AProcessThatDoesNotListenWhereItOughtToIsReplaced) {
    const std::int64_t pid = leave_engine_behind(spec());
    auto other = config("elsewhere");
    auto stranger = daemon(other);
    stranger->supervisor.start({spec()}, {});
    ASSERT_TRUE(stranger->run_until_in(ReplicaState::ready));
    // The record of the first engine, at the port of the second.
    auto mixed = lifecycle::run_record_from_json(record()).value();
    const auto second =
        lifecycle::run_record_from_json(read(folder / "elsewhere/run/chat-r0.json")).value();
    mixed.port = second.port;
    mixed.start_digest = second.start_digest;
    write("state/run/chat-r0.json", lifecycle::to_json(mixed));

    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_EQ(next->lines.count("was adopted"), 1U);
    EXPECT_NE(next->replica()->pid, pid);
    EXPECT_NE(next->replica()->pid, second.pid);
    EXPECT_FALSE(runs(pid));
    EXPECT_TRUE(runs(second.pid));
    EXPECT_TRUE(next->stop());
    EXPECT_TRUE(stranger->stop());
}

TEST_F(AdoptionTest, AnAdoptedEngineThatDiesIsStartedAgain) {
    const std::int64_t pid = leave_engine_behind(spec());
    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    kill(static_cast<pid_t>(pid), SIGKILL);
    ASSERT_TRUE(next->run_until([&] {
        return next->is_in(ReplicaState::ready) && next->replica()->pid != pid;
    }));
    EXPECT_EQ(next->replica()->log_path, (folder / "state/logs/chat-r0-2.log").string());
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, AnEngineThatStillLoadsIsAdopted) {
    auto slow = spec();
    slow.env["ENGINE_SIM_LOAD_MS"] = "600000";
    auto killed = daemon(config());
    killed->leaves_engines = true;
    killed->supervisor.start({slow}, {});
    ASSERT_TRUE(killed->run_until_in(ReplicaState::loading));
    const std::int64_t pid = killed->replica()->pid.value();
    killed.reset();
    auto next = daemon(config());
    next->supervisor.start({slow}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::loading));
    EXPECT_EQ(next->replica()->pid, pid);
    EXPECT_TRUE(next->stop());
    EXPECT_FALSE(runs(pid));
}

TEST_F(AdoptionTest, RequestsOfTheDaemonThatDiedCountAsBusyUntilTheyEnd) {
    auto slow = spec();
    slow.env["ENGINE_SIM_TTFT_MS"] = "3600000";
    auto killed = daemon(config());
    killed->leaves_engines = true;
    killed->supervisor.start({slow}, {});
    ASSERT_TRUE(killed->run_until_in(ReplicaState::ready));
    RequestInEngine request(killed->replica()->url);
    killed.reset();
    auto next = daemon(config());
    next->supervisor.start({slow}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_EQ(next->pool()->slots_total(), 2U);
    EXPECT_EQ(next->pool()->slots_free(), 1U);
    EXPECT_EQ(next->pool()->active_leases(), 0U);
    const auto cell = next->replica()->cell;
    EXPECT_TRUE(cell->try_claim());
    EXPECT_FALSE(cell->try_claim()) << "the second slot is somebody else's";
    EXPECT_FALSE(cell->release());
    request.leave();
    EXPECT_TRUE(next->run_until([&] { return next->pool()->slots_free() == 2; }));
    EXPECT_TRUE(next->stop());
}

TEST_F(AdoptionTest, KeptEnginesOutliveAStopAndAreAdopted) {
    auto keeping = config();
    keeping.keep_engines = true;
    auto first = daemon(keeping);
    first->leaves_engines = true;
    first->supervisor.start({spec()}, {});
    ASSERT_TRUE(first->run_until_in(ReplicaState::ready));
    const std::int64_t pid = first->replica()->pid.value();
    ASSERT_TRUE(first->stop());
    EXPECT_FALSE(first->pool()->ready()) << "nothing new for a daemon that ends";
    EXPECT_TRUE(first->readiness_changes.back());
    first.reset();
    ASSERT_TRUE(runs(pid));

    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->run_until_in(ReplicaState::ready));
    EXPECT_EQ(next->replica()->pid, pid);
    EXPECT_TRUE(next->stop());
    EXPECT_FALSE(runs(pid)) << "this daemon keeps none";
}

TEST_F(AdoptionTest, ADaemonThatIsStoppedAtOnceEndsWhatItFinds) {
    const std::int64_t pid = leave_engine_behind(spec());
    auto next = daemon(config());
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->stop());
    EXPECT_TRUE(next->run_until([&] { return !runs(pid); }));
    EXPECT_EQ(next->lines.count("was adopted"), 0U);
    EXPECT_FALSE(exists("state/run/chat-r0.json"));
}

TEST_F(AdoptionTest, ADaemonThatIsStoppedAtOnceAndKeepsEnginesLeavesThemToTheNext) {
    const std::int64_t pid = leave_engine_behind(spec());
    auto keeping = config();
    keeping.keep_engines = true;
    auto next = daemon(keeping);
    next->supervisor.start({spec()}, {});
    ASSERT_TRUE(next->stop());
    EXPECT_TRUE(runs(pid));
    EXPECT_TRUE(exists("state/run/chat-r0.json"));
    next.reset();
    auto last = daemon(config());
    last->supervisor.start({spec()}, {});
    ASSERT_TRUE(last->run_until_in(ReplicaState::ready));
    EXPECT_EQ(last->replica()->pid, pid);
    EXPECT_TRUE(last->stop());
}

TEST_F(AdoptionTest, AStopThatKeepsEnginesWaitsForLeasesAndThenCutsThemOff) {
    auto keeping = config();
    keeping.keep_engines = true;
    keeping.drain_limit = milliseconds(200);
    auto node = daemon(keeping);
    node->supervisor.start({spec()}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    ASSERT_TRUE(node->replica()->cell->try_claim());
    const Instant asked = node->clock.now();
    ASSERT_TRUE(node->stop());
    EXPECT_GE(node->clock.now() - asked, keeping.drain_limit);
    EXPECT_EQ(node->closed, std::vector<ReplicaId>{kReplica});
    EXPECT_TRUE(runs(node->replica()->pid.value()));
    EXPECT_FALSE(node->replica()->cell->release());
}

TEST_F(AdoptionTest, AStopThatKeepsEnginesStartsNoneThatWaitsForARestart) {
    auto keeping = config();
    keeping.keep_engines = true;
    keeping.engine.restart.backoff.initial = seconds(600);
    keeping.engine.restart.backoff.maximum = seconds(600);
    auto failing = spec();
    failing.env["ENGINE_SIM_EXIT_AT_START"] = "1";
    auto node = daemon(keeping);
    node->supervisor.start({failing}, {});
    ASSERT_TRUE(node->run_until_in(ReplicaState::backing_off));
    EXPECT_TRUE(node->stop());
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
}

}  // namespace
}  // namespace orch::node::supervisor
