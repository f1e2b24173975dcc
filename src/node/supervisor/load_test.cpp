#include "node/supervisor/supervisor_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

namespace orch::node::supervisor {
namespace {

using testing::HasSubstr;
using testing::Not;

const PoolId kOther("other");

// Room for one engine of the tests' model, which takes little more than what all of them take.
inventory::Gpu make_gpu(Bytes used) {
    inventory::Gpu gpu;
    gpu.uuid = "GPU-1";
    gpu.vram_total = 2 * kGiB;
    gpu.vram_used = used;
    return gpu;
}

const inventory::Gpu kRoomForOne = make_gpu(kGiB / 2);
const inventory::Gpu kFull = make_gpu(3 * kGiB / 2);

// Pools that nobody has asked for yet.
struct LoadTest : SupervisorTest {
    lifecycle::PoolSpec resting(const PoolId& id = kPool) const {
        lifecycle::PoolSpec out = spec();
        out.id = id;
        out.on_demand = true;
        return out;
    }

    std::unique_ptr<Daemon> begun(
        std::vector<lifecycle::PoolSpec> pools,
        std::vector<inventory::Gpu> gpus,
        std::optional<SupervisorConfig> settings = std::nullopt
    ) {
        auto node = daemon(settings.value_or(config()));
        const PoolId first = pools.front().id;
        node->supervisor.start(std::move(pools), std::move(gpus));
        EXPECT_TRUE(node->run_until([&] { return node->pool(first)->startable; }));
        return node;
    }

    Bytes need() const {
        return std::filesystem::file_size(folder / "tiny.gguf") + kGiB;  // no header, no cache
    }
};

TEST_F(LoadTest, APoolAtRestSaysThatItCanBeLoadedAndWhatThatTakes) {
    auto node = begun({resting()}, {kRoomForOne});
    EXPECT_TRUE(node->pool()->loadable());
    EXPECT_EQ(node->pool()->vram_need(), need());
    ASSERT_TRUE(node->preload().has_value());
    EXPECT_FALSE(node->pool()->loadable());
    EXPECT_EQ(node->pool()->vram_need(), 0U);
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_FALSE(node->pool()->loadable());
    ASSERT_TRUE(node->stop());
    EXPECT_FALSE(node->pool()->loadable()) << "the node starts nothing any more";
}

TEST_F(LoadTest, NothingIsLoadedBeforeTheNodeHasBegun) {
    auto node = daemon(config());
    node->supervisor.start({resting()}, {});
    EXPECT_FALSE(node->pool()->loadable());
    EXPECT_EQ(node->supervisor.drain(kPool, kGuard).error().code, Errc::pool_unready);
    EXPECT_EQ(node->preload().error().code, Errc::pool_unready);
    EXPECT_FALSE(node->pool()->draining);
    ASSERT_TRUE(node->run_until([&] { return node->pool()->loadable(); }));
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, EveryReplicaCountsInWhatALoadTakes) {
    auto spec = resting();
    spec.replicas = 3;
    auto node = begun({spec}, {kRoomForOne});
    EXPECT_EQ(node->pool()->vram_need(), 3 * need());
    EXPECT_EQ(node->preload().error().code, Errc::pool_unavailable);
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, WhatALoadTakesFollowsTheGpus) {
    auto node = begun({resting()}, {});
    EXPECT_TRUE(node->pool()->loadable());
    EXPECT_EQ(node->pool()->vram_need(), 0U);
    node->supervisor.set_gpus({kRoomForOne}, node->clock.now());
    EXPECT_EQ(node->pool()->vram_need(), need());
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, APoolThatDoesNotFitIsRefusedUntilThereIsRoom) {
    auto node = begun({resting()}, {kFull});
    const auto refused = node->preload();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::pool_unavailable);
    EXPECT_EQ(
        refused.error().message,
        "pool 'chat': its model needs about 1.0 GiB of VRAM, and 0.5 GiB are free"
    );
    EXPECT_TRUE(node->pool()->loadable());
    EXPECT_EQ(node->lines.count("the engine was started"), 0U);
    node->supervisor.set_gpus({kRoomForOne}, node->clock.now());
    EXPECT_TRUE(node->preload().has_value());
    EXPECT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, WithoutGpusNobodyIsRefused) {
    auto node = begun({resting(), resting(kOther)}, {});
    EXPECT_TRUE(node->preload().has_value());
    EXPECT_TRUE(node->preload(kOther).has_value());
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, APoolOnTheCpuTakesNoRoomOnAGpu) {
    auto on_cpu = resting();
    on_cpu.devices.emplace();
    auto node = begun({on_cpu}, {kFull});
    EXPECT_EQ(node->pool()->vram_need(), 0U);
    EXPECT_TRUE(node->preload().has_value());
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, TwoPreloadsAtOnceDoNotTakeTheSameRoom) {
    auto node = begun({resting(), resting(kOther)}, {kRoomForOne});
    std::optional<Result<void>> first;
    std::optional<Result<void>> second;
    node->tasks.spawn(Daemon::await_preload(node->supervisor, kPool, first));
    node->tasks.spawn(Daemon::await_preload(node->supervisor, kOther, second));
    ASSERT_TRUE(node->run_until([&] { return first && second; }));
    ASSERT_NE(first->has_value(), second->has_value());
    const Error& refusal = first->has_value() ? second->error() : first->error();
    const std::string loading = first->has_value() ? "'chat'" : "'other'";
    EXPECT_EQ(refusal.code, Errc::pool_unavailable);
    EXPECT_THAT(
        refusal.message,
        HasSubstr("(1.0 GiB of that is kept for pool " + loading + ", which is being loaded)")
    );
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, AStartWithTheDaemonKeepsItsRoomToo) {
    auto slow = spec();
    slow.env["ENGINE_SIM_LOAD_MS"] = "600000";
    auto node = begun({slow, resting(kOther)}, {kRoomForOne});
    ASSERT_TRUE(node->run_until_in(ReplicaState::loading));
    EXPECT_THAT(node->preload(kOther).error().message, HasSubstr("kept for pool 'chat'"));
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, RoomIsKeptUntilTheGpusShowThatItIsTaken) {
    auto node = begun({resting(), resting(kOther)}, {kRoomForOne});
    const Instant before = node->clock.now();
    ASSERT_TRUE(node->preload().has_value());
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_EQ(node->preload(kOther).error().code, Errc::pool_unavailable);
    node->supervisor.set_gpus({kRoomForOne}, before);
    EXPECT_EQ(node->preload(kOther).error().code, Errc::pool_unavailable) << "an older look";
    node->supervisor.set_gpus({kRoomForOne}, node->clock.now());
    EXPECT_TRUE(node->preload(kOther).has_value());
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, APoolThatRunsIsLoadedWithoutAWord) {
    auto node = begun({resting()}, {kRoomForOne});
    ASSERT_TRUE(node->preload().has_value());
    EXPECT_TRUE(node->preload().has_value()) << "it starts";
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    const auto pid = node->replica()->pid;
    node->supervisor.set_gpus({kFull}, node->clock.now());
    EXPECT_TRUE(node->preload().has_value()) << "it runs";
    EXPECT_TRUE(node->is_in(ReplicaState::ready));
    EXPECT_EQ(node->replica()->pid, pid);
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, ABrokenPoolIsTriedAgainByHand) {
    auto failing = resting();
    failing.env["ENGINE_SIM_EXIT_AT_START"] = "1";
    auto node = begun({failing}, {kRoomForOne});
    ASSERT_TRUE(node->preload().has_value());
    ASSERT_TRUE(node->run_until_in(ReplicaState::broken));
    EXPECT_FALSE(node->pool()->loadable());
    const std::string log = node->replica()->log_path;
    node->supervisor.set_gpus({kFull}, node->clock.now());
    EXPECT_EQ(node->preload().error().code, Errc::pool_unavailable);
    EXPECT_TRUE(node->is_in(ReplicaState::broken));
    node->supervisor.set_gpus({kRoomForOne}, node->clock.now());
    ASSERT_TRUE(node->preload().has_value());
    EXPECT_TRUE(node->is_in(ReplicaState::starting));
    EXPECT_TRUE(node->run_until([&] { return node->replica()->log_path != log; }));
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, AModelThatIsNotThereIsNamedAndMayComeLater) {
    auto absent = resting();
    absent.model = (folder / "absent.gguf").string();
    auto node = begun({absent}, {kRoomForOne});
    EXPECT_EQ(node->pool()->vram_need(), 0U);
    const auto refused = node->preload();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::not_found);
    EXPECT_THAT(refused.error().message, HasSubstr(absent.model));
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
    EXPECT_TRUE(node->pool()->loadable());
    write("absent.gguf", "it has come");
    EXPECT_TRUE(node->preload().has_value());
    EXPECT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, APoolThatNothingCanStartIsNotLoadableAndSaysWhy) {
    auto settings = config();
    settings.engine_binary.clear();
    settings.engine_missing_reason = "no llama-server was found";
    auto node = begun({resting()}, {}, settings);
    EXPECT_FALSE(node->pool()->loadable());
    const auto refused = node->preload();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::pool_unavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("no llama-server was found"));
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, AWatchedPoolIsNotLoadableAndComesBackFromADrain) {
    auto owner = daemon(config("owner"));
    owner->supervisor.start({spec()}, {});
    ASSERT_TRUE(owner->run_until_in(ReplicaState::ready));
    lifecycle::PoolSpec watched;
    watched.id = kPool;
    watched.url = owner->replica()->url;
    watched.served_name = ServedName("tiny");
    auto node = begun({watched}, {kFull}, config("watcher"));
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    ASSERT_TRUE(node->supervisor.drain(kPool, kGuard).has_value());
    ASSERT_TRUE(node->run_until_in(ReplicaState::stopped));
    EXPECT_FALSE(node->pool()->loadable());
    ASSERT_TRUE(node->preload().has_value());
    EXPECT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_TRUE(node->stop());
    EXPECT_TRUE(owner->stop());
}

TEST_F(LoadTest, ADrainedPoolStaysDownUntilItIsLoaded) {
    auto node = begun({resting()}, {kRoomForOne});
    ASSERT_TRUE(node->supervisor.drain(kPool, kGuard).has_value());
    EXPECT_TRUE(node->pool()->draining);
    EXPECT_FALSE(node->pool()->loadable());
    ASSERT_TRUE(node->preload().has_value());
    EXPECT_FALSE(node->pool()->draining);
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, ADrainThatComesWhileAPreloadLooksAtTheModelWins) {
    auto settings = config();
    std::function<void()> meanwhile = [] {};
    settings.find_model = [&](const std::string& name) -> Result<std::string> {
        meanwhile();
        return (folder / name).string() + ".gguf";
    };
    auto stored = resting();
    stored.model = "tiny";
    auto node = begun({stored}, {kRoomForOne}, settings);
    meanwhile = [&] { EXPECT_TRUE(node->supervisor.drain(kPool, kGuard).has_value()); };
    EXPECT_EQ(node->preload().error().code, Errc::pool_unready);
    EXPECT_TRUE(node->pool()->draining);
    EXPECT_TRUE(node->is_in(ReplicaState::stopped));
    meanwhile = [] {};
    EXPECT_TRUE(node->preload().has_value());
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, ADrainEndsABusyEngineAtItsDeadline) {
    auto node = begun({resting()}, {});
    ASSERT_TRUE(node->preload().has_value());
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    const auto pid = node->replica()->pid.value();
    ASSERT_TRUE(node->replica()->cell->try_claim());
    ASSERT_TRUE(node->supervisor.drain(kPool, milliseconds(100)).has_value());
    ASSERT_TRUE(node->run_until_in(ReplicaState::stopped));
    EXPECT_FALSE(runs(pid));
    EXPECT_EQ(node->closed, std::vector<ReplicaId>{kReplica});
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, LoadsAndDrainsAreToldAtOnceAndStepsBetweenAreNot) {
    auto node = begun({resting()}, {});
    const auto told = [&] { return std::ranges::count(node->readiness_changes, true); };
    EXPECT_EQ(told(), 2);  // it came; it can be loaded
    ASSERT_TRUE(node->preload().has_value());
    EXPECT_EQ(told(), 3);  // it is being loaded
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    EXPECT_EQ(told(), 4);
    ASSERT_TRUE(node->supervisor.drain(kPool, kGuard).has_value());
    EXPECT_GE(told(), 5);
    const auto before = told();
    ASSERT_TRUE(node->run_until_in(ReplicaState::stopped));
    EXPECT_EQ(told(), before + 1) << "it has drained";
    EXPECT_TRUE(node->stop());
}

TEST_F(LoadTest, DrainsAreCountedByReasonAndTimed) {
    auto node = begun({resting(), resting(kOther)}, {});
    const std::string requests =
        R"(drain_events_total{node_id="n1",pool_id="chat",reason="request"} )";
    const std::string ends = R"(drain_duration_ms_count{node_id="n1",pool_id="chat"} )";
    ASSERT_TRUE(node->supervisor.drain(kPool, kGuard).has_value());
    ASSERT_TRUE(node->supervisor.drain(kPool, kGuard).has_value());
    EXPECT_THAT(node->metrics.expose(), HasSubstr(requests + "1\n"));
    EXPECT_THAT(node->metrics.expose(), Not(HasSubstr(ends))) << "there was nothing to end";
    ASSERT_TRUE(node->preload().has_value());
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    ASSERT_TRUE(node->replica()->cell->try_claim());
    ASSERT_TRUE(node->supervisor.drain(kPool, kGuard).has_value());
    ASSERT_TRUE(node->preload().has_value());
    EXPECT_THAT(node->metrics.expose(), HasSubstr(requests + "2\n"));
    EXPECT_FALSE(node->replica()->cell->release());
    ASSERT_TRUE(node->stop());
    const std::string text = node->metrics.expose();
    EXPECT_THAT(text, HasSubstr(ends + "1\n")) << "the drain that was called off has no end";
    EXPECT_THAT(
        text, HasSubstr(R"(drain_events_total{node_id="n1",pool_id="chat",reason="shutdown"} 1)")
    );
    EXPECT_THAT(text, Not(HasSubstr(R"(pool_id="other",reason="shutdown")")));
}

TEST_F(LoadTest, EnginesThatAreKeptDrainAndDoNotEnd) {
    auto settings = config();
    settings.keep_engines = true;
    auto node = begun({resting()}, {}, settings);
    ASSERT_TRUE(node->preload().has_value());
    ASSERT_TRUE(node->run_until_in(ReplicaState::ready));
    ASSERT_TRUE(node->stop());
    EXPECT_TRUE(runs(node->replica()->pid.value()));
    EXPECT_THAT(node->metrics.expose(), HasSubstr(R"(reason="shutdown"} 1)"));
    EXPECT_THAT(node->metrics.expose(), Not(HasSubstr("drain_duration_ms_count{")));
}

}  // namespace
}  // namespace orch::node::supervisor
