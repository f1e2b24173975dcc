#include "node/supervisor/supervisor_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace orch::node::supervisor {
namespace {

using testing::HasSubstr;

// Pools that go over to another model. What the engine does with one is in the file's name.
struct ReloadTest : SupervisorTest {
    const std::string next = write_model("next.gguf");
    const std::string failing = write_model("failing.gguf");
    const std::string slow = write_model("slow.gguf");
    const std::string once = write_model("once.gguf");  // starts a single time

    std::string write_model(const std::string& name) const {
        write(name, "never opened by the simulated engine");
        return (folder / name).string();
    }

    // Written once: an engine of another program is not adopted.
    void write_engine() const {
        write(
            "engine",
            "#!/bin/sh\n"
            "case \"$*\" in\n"
            "*failing.gguf*) echo 'no such magic' >&2; exit 1;;\n"
            "*slow.gguf*) export ENGINE_SIM_LOAD_MS=600000;;\n"
            "*once.gguf*) mkdir \"$0.started\" || exit 1;;\n"
            "esac\n"
            "exec '" ENGINE_SIM "' \"$@\"\n"
        );
        std::filesystem::permissions(folder / "engine", std::filesystem::perms::owner_all);
    }

    SupervisorConfig settings() const {
        if (!exists("engine")) {
            write_engine();
        }
        SupervisorConfig out = config();
        out.engine_binary = (folder / "engine").string();
        return out;
    }

    std::unique_ptr<Daemon> begun(
        const lifecycle::PoolSpec& pool, std::vector<inventory::Gpu> gpus = {}
    ) {
        auto node = daemon(settings());
        node->supervisor.start({pool}, std::move(gpus));
        EXPECT_TRUE(node->run_until([&] { return node->pool()->startable; }));
        return node;
    }

    std::unique_ptr<Daemon> serving(const lifecycle::PoolSpec& pool) {
        auto node = begun(pool);
        EXPECT_TRUE(node->run_until([&] { return all_ready(*node); }));
        return node;
    }

    lifecycle::PoolSpec resting() const {
        lifecycle::PoolSpec out = spec();
        out.on_demand = true;
        return out;
    }

    static bool all_ready(const Daemon& node) {
        return !node.pool()->draining &&
               std::ranges::all_of(node.pool()->replicas, &ReplicaView::serves);
    }

    // The line's beginning counts: loads have metrics of like names.
    static bool shows(Daemon& node, const std::string& line) {
        return node.metrics.expose().contains("\n" + line);
    }

    static bool succeeds(Daemon& node, int times = 1) {
        const std::string line = R"(reload_success_total{node_id="n1",pool_id="chat"} )";
        return node.run_until([&] { return shows(node, line + std::to_string(times) + "\n"); });
    }

    static bool fails(Daemon& node, const std::string& reason) {
        const std::string line = R"(reload_failure_total{node_id="n1",pool_id="chat",reason=")";
        return node.run_until([&] { return shows(node, line + reason + "\"} 1\n"); });
    }

    static std::string command(const Daemon& node) { return command(*node.replica()); }

    // Of the engine that runs now.
    static std::string command(const ReplicaView& replica) {
        std::string text = read("/proc/" + std::to_string(replica.pid.value()) + "/cmdline");
        std::ranges::replace(text, '\0', ' ');
        return text;
    }
};

TEST_F(ReloadTest, APoolGoesOverToAnotherModelUnderItsName) {
    auto node = serving(spec());
    const auto old = node->replica()->pid.value();
    ASSERT_TRUE(node->reload(next).has_value());
    EXPECT_TRUE(node->pool()->draining);
    ASSERT_TRUE(succeeds(*node));
    EXPECT_TRUE(all_ready(*node));
    EXPECT_FALSE(runs(old));
    EXPECT_THAT(command(*node), HasSubstr(" " + next + " "));
    EXPECT_THAT(command(*node), HasSubstr(" tiny ")) << "its alias";
    EXPECT_EQ(node->pool()->spec->model, next);
    EXPECT_EQ(node->pool()->spec->served_name, ServedName("tiny"));
    EXPECT_EQ(node->lines.count("a pool goes over to another model"), 1U);
    EXPECT_EQ(node->lines.count("a pool has gone over to another model"), 1U);
    const std::string of = R"({node_id="n1",pool_id="chat")";
    EXPECT_TRUE(shows(*node, "reload_duration_ms_count" + of + "} 1\n"));
    EXPECT_TRUE(shows(*node, "drain_events_total" + of + R"(,reason="reload"} 1)"));
    EXPECT_TRUE(shows(*node, "drain_duration_ms_count" + of + "} 1\n"));
    EXPECT_FALSE(shows(*node, "reload_failure_total{"));
    ASSERT_TRUE(node->reload(spec().model).has_value()) << "and back";
    ASSERT_TRUE(succeeds(*node, 2));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, EveryReplicaGoesOver) {
    auto two = spec();
    two.replicas = 2;
    auto node = serving(two);
    ASSERT_TRUE(node->reload(next).has_value());
    ASSERT_TRUE(succeeds(*node));
    ASSERT_EQ(node->pool()->replicas.size(), 2U);
    for (const ReplicaView& replica : node->pool()->replicas) {
        EXPECT_TRUE(replica.serves());
        EXPECT_THAT(command(replica), HasSubstr(next));
    }
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, TheSameModelIsARestart) {
    auto node = serving(spec());
    const auto old = node->replica()->pid;
    ASSERT_TRUE(node->reload(spec().model).has_value());
    ASSERT_TRUE(succeeds(*node));
    EXPECT_NE(node->replica()->pid, old);
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, WorkIsWaitedForAndNothingNewComesMeanwhile) {
    auto node = serving(spec());
    const auto old = node->replica()->pid.value();
    ASSERT_TRUE(node->replica()->cell->try_claim());
    ASSERT_TRUE(node->reload(next).has_value());
    EXPECT_EQ(lifecycle::choose_replica(*node->pool(), node->clock.now()), nullptr);
    EXPECT_FALSE(node->pool()->ready());
    EXPECT_TRUE(runs(old));
    EXPECT_FALSE(node->replica()->cell->release());
    ASSERT_TRUE(succeeds(*node));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, WorkThatDoesNotEndInTimeCallsItOffAndNothingWasEnded) {
    auto node = serving(spec());
    const auto old = node->replica()->pid.value();
    ASSERT_TRUE(node->replica()->cell->try_claim());
    ASSERT_TRUE(node->reload(next, milliseconds(100)).has_value());
    ASSERT_TRUE(fails(*node, "drain_timeout"));
    EXPECT_TRUE(all_ready(*node)) << "it takes work again";
    EXPECT_EQ(node->replica()->pid, old);
    EXPECT_TRUE(runs(old));
    EXPECT_TRUE(node->closed.empty()) << "no relay was cut off";
    EXPECT_EQ(node->pool()->spec->model, spec().model);
    EXPECT_FALSE(shows(*node, "drain_duration_ms_count{"));
    EXPECT_FALSE(node->replica()->cell->release());
    EXPECT_TRUE(node->reload(next).has_value()) << "it may be tried again";
    EXPECT_TRUE(succeeds(*node));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, AModelThatDoesNotStartGivesWayToTheOldOne) {
    auto node = serving(spec());
    ASSERT_TRUE(node->reload(failing).has_value());
    ASSERT_TRUE(fails(*node, "start_failed"));
    ASSERT_TRUE(node->run_until([&] { return all_ready(*node); }));
    EXPECT_THAT(command(*node), HasSubstr(spec().model));
    EXPECT_EQ(node->pool()->spec->model, spec().model);
    EXPECT_EQ(node->pool()->last_error(), "");
    const auto lines = node->lines.lines();
    const auto goes_back = [](const std::string& line) {
        return line.contains("goes back to the one before") && line.contains("no such magic");
    };
    EXPECT_EQ(std::ranges::count_if(lines, goes_back), 1) << "it says why";
    EXPECT_TRUE(node->preload().has_value()) << "it is being reloaded no more";
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, AModelThatOnlyOneReplicaStartsGivesWayToTheOldOneOnAll) {
    auto two = spec();
    two.replicas = 2;
    auto node = serving(two);
    ASSERT_TRUE(node->reload(once).has_value());
    ASSERT_TRUE(fails(*node, "start_failed"));
    ASSERT_TRUE(node->run_until([&] { return all_ready(*node); }));
    for (const ReplicaView& replica : node->pool()->replicas) {
        EXPECT_THAT(command(replica), HasSubstr(two.model));
    }
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, ADrainThatIsUnderWayGoesOnWhenTheReloadIsCalledOff) {
    auto node = serving(spec());
    ASSERT_TRUE(node->replica()->cell->try_claim());
    ASSERT_TRUE(node->supervisor.drain(kPool, kGuard).has_value());
    ASSERT_TRUE(node->reload(next, Duration::zero()).has_value());
    ASSERT_TRUE(fails(*node, "drain_timeout"));
    EXPECT_TRUE(node->pool()->draining);
    EXPECT_TRUE(node->is_in(ReplicaState::draining));
    EXPECT_FALSE(node->replica()->cell->release());
    EXPECT_TRUE(node->run_until_in(ReplicaState::stopped));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, AModelThatTakesTooLongGivesWayToTheOldOne) {
    auto impatient = spec();
    impatient.start_timeout = seconds(1);
    auto node = serving(impatient);
    ASSERT_TRUE(node->reload(slow).has_value());
    ASSERT_TRUE(fails(*node, "start_failed"));
    ASSERT_TRUE(node->run_until([&] { return all_ready(*node); }));
    EXPECT_THAT(command(*node), HasSubstr(spec().model));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, ABrokenPoolIsMendedByAnotherModel) {
    auto broken = spec();
    broken.model = failing;
    auto node = begun(broken);
    ASSERT_TRUE(node->run_until_in(ReplicaState::broken));
    ASSERT_TRUE(node->reload(next).has_value());
    ASSERT_TRUE(succeeds(*node));
    EXPECT_TRUE(all_ready(*node));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, NobodyElseChangesAPoolThatIsBeingReloaded) {
    auto node = serving(spec());
    ASSERT_TRUE(node->reload(slow).has_value());
    const auto is_refused = [](const Result<void>& answer) {
        return !answer && answer.error().code == Errc::conflict &&
               answer.error().message == "pool 'chat' is being reloaded";
    };
    EXPECT_TRUE(is_refused(node->reload(next)));
    EXPECT_TRUE(is_refused(node->preload()));
    EXPECT_TRUE(is_refused(node->supervisor.drain(kPool, kGuard)));
    ASSERT_TRUE(node->run_until_in(ReplicaState::loading));
    EXPECT_TRUE(is_refused(node->reload(next)));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, OfTwoReloadsAtOnceOneBegins) {
    auto node = serving(spec());
    std::optional<Result<void>> first;
    std::optional<Result<void>> second;
    node->tasks.spawn(Daemon::await_reload(node->supervisor, kPool, next, kGuard, first));
    node->tasks.spawn(Daemon::await_reload(node->supervisor, kPool, next, kGuard, second));
    ASSERT_TRUE(node->run_until([&] { return first && second; }));
    ASSERT_NE(first->has_value(), second->has_value());
    EXPECT_EQ((*first ? second : first)->error().code, Errc::conflict);
    ASSERT_TRUE(succeeds(*node));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, AModelThatIsNotThereIsNamedAndNothingBegins) {
    auto node = serving(spec());
    const std::string absent = (folder / "absent.gguf").string();
    const auto refused = node->reload(absent);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::not_found);
    EXPECT_THAT(refused.error().message, HasSubstr(absent));
    EXPECT_TRUE(all_ready(*node));
    EXPECT_EQ(node->pool()->spec->model, spec().model);
    EXPECT_FALSE(shows(*node, "drain_events_total{"));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, ANodeThatBeginsOrHasNoSuchPoolRefuses) {
    auto node = daemon(settings());
    node->supervisor.start({spec()}, {});
    EXPECT_EQ(node->reload(next).error().code, Errc::pool_unready);
    std::optional<Result<void>> answer;
    node->tasks.spawn(Daemon::await_reload(node->supervisor, PoolId("absent"), next, kGuard, answer)
    );
    ASSERT_TRUE(node->run_until([&] { return answer.has_value(); }));
    EXPECT_EQ(answer->error().code, Errc::not_found);
    EXPECT_TRUE(node->stop());
    EXPECT_EQ(node->reload(next).error().code, Errc::pool_unready);
}

TEST_F(ReloadTest, TheEngineOfSomebodyElseKeepsItsModel) {
    auto owner = daemon(config("owner"));
    owner->supervisor.start({spec()}, {});
    ASSERT_TRUE(owner->run_until_in(ReplicaState::ready));
    lifecycle::PoolSpec watched;
    watched.id = kPool;
    watched.url = owner->replica()->url;
    watched.served_name = ServedName("tiny");
    auto node = begun(watched);
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_EQ(node->reload(next).error().code, Errc::conflict);
    EXPECT_TRUE(node->is_in(ReplicaState::ready));
    EXPECT_TRUE(node->stop());
    EXPECT_TRUE(owner->stop());
}

TEST_F(ReloadTest, APoolAtRestIsStartedWithTheNewModel) {
    auto node = begun(resting());
    ASSERT_TRUE(node->reload(next).has_value());
    EXPECT_FALSE(node->pool()->loadable()) << "nobody else is to load it";
    ASSERT_TRUE(succeeds(*node));
    EXPECT_TRUE(all_ready(*node));
    EXPECT_THAT(command(*node), HasSubstr(next));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, APoolAtRestIsBackAtRestWhenTheNewModelDoesNotStart) {
    auto node = begun(resting());
    ASSERT_TRUE(node->reload(failing).has_value());
    ASSERT_TRUE(fails(*node, "start_failed"));
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
    EXPECT_TRUE(node->pool()->loadable());
    ASSERT_TRUE(node->preload().has_value());
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_THAT(command(*node), HasSubstr(spec().model));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, APoolAtRestNeedsRoomForTheNewModel) {
    inventory::Gpu full;
    full.uuid = "GPU-1";
    full.vram_total = 2 * kGiB;
    full.vram_used = 3 * kGiB / 2;
    auto node = begun(resting(), {full});
    EXPECT_EQ(node->reload(next).error().code, Errc::pool_unavailable);
    EXPECT_TRUE(node->pool()->loadable());
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, ADrainedPoolServesTheNewModelOrStaysDrained) {
    auto node = serving(spec());
    ASSERT_TRUE(node->supervisor.drain(kPool, kGuard).has_value());
    ASSERT_TRUE(node->run_until_in(ReplicaState::stopped));
    ASSERT_TRUE(node->reload(failing).has_value());
    ASSERT_TRUE(fails(*node, "start_failed"));
    EXPECT_TRUE(node->pool()->draining);
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
    ASSERT_TRUE(node->reload(next).has_value());
    ASSERT_TRUE(succeeds(*node));
    EXPECT_TRUE(all_ready(*node));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, ANodeThatStopsWhileItWaitsForWorkStartsNothing) {
    auto node = serving(spec());
    const auto cell = node->replica()->cell;
    ASSERT_TRUE(cell->try_claim());
    ASSERT_TRUE(node->reload(next).has_value());
    bool stopped = false;
    node->tasks.spawn(Daemon::await_stop(node->supervisor, stopped));
    ASSERT_TRUE(fails(*node, "stopped"));
    EXPECT_FALSE(cell->release());
    ASSERT_TRUE(node->run_until([&] { return stopped; }));
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
    EXPECT_EQ(node->lines.count("the engine was started"), 1U);
}

TEST_F(ReloadTest, ANodeThatStopsWhileTheNewModelLoadsEndsIt) {
    auto node = serving(spec());
    ASSERT_TRUE(node->reload(slow).has_value());
    ASSERT_TRUE(node->run_until_in(ReplicaState::loading));
    const auto pid = node->replica()->pid.value();
    ASSERT_TRUE(node->stop());
    EXPECT_FALSE(runs(pid));
    ASSERT_TRUE(fails(*node, "stopped"));
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
    EXPECT_EQ(node->lines.count("the engine was started"), 2U) << "the old one is not back";
}

TEST_F(ReloadTest, TheNextRunOfTheDaemonServesTheModelOfItsSettings) {
    std::int64_t left = 0;
    {
        auto killed = begun(spec());
        ASSERT_TRUE(killed->run_until_in(ReplicaState::ready));
        killed->leaves_engines = true;
        ASSERT_TRUE(killed->reload(next).has_value());
        ASSERT_TRUE(succeeds(*killed));
        left = killed->replica()->pid.value();
    }
    ASSERT_TRUE(runs(left));
    auto node = serving(spec());
    EXPECT_FALSE(runs(left));
    EXPECT_EQ(node->lines.count("an engine of an earlier run is not wanted as it is"), 1U);
    EXPECT_THAT(command(*node), HasSubstr(spec().model));
    EXPECT_TRUE(node->stop());
}

TEST_F(ReloadTest, ADaemonThatWasKilledWhileTheNewModelLoadedServesTheOldOne) {
    std::int64_t left = 0;
    {
        auto killed = begun(spec());
        ASSERT_TRUE(killed->run_until_in(ReplicaState::ready));
        killed->leaves_engines = true;
        ASSERT_TRUE(killed->reload(slow).has_value());
        ASSERT_TRUE(killed->run_until_in(ReplicaState::loading));
        left = killed->replica()->pid.value();
    }
    ASSERT_TRUE(runs(left));
    auto node = serving(spec());
    EXPECT_FALSE(runs(left));
    EXPECT_THAT(command(*node), HasSubstr(spec().model));
    EXPECT_TRUE(node->stop());
}

}  // namespace
}  // namespace orch::node::supervisor
