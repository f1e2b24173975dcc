#pragma once

#include "base/rng.hpp"
#include "node/lifecycle/engine_fsm.hpp"
#include "node/lifecycle/engine_machine_harness.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace orch::node::lifecycle {

// One engine machine without jitter, and the steps its tests share.
class EngineFsmTest : public testing::Test {
public:
    static EngineConfig without_jitter() {
        EngineConfig config;
        config.restart.backoff.jitter = 0;
        return config;
    }

    void start() {
        engine.tell(engine_event::StartWanted{});
        engine.tell(engine_event::Spawned{++pid});
    }

    void serve() {
        start();
        engine.answer(ProbeOutcome::ok);
        ASSERT_EQ(engine.state(), ReplicaState::ready);
    }

    // From any waiting state: the next attempt, which dies at once.
    void fail_once() {
        engine.expire();
        ASSERT_TRUE(engine.asked_for<engine_action::Spawn>());
        engine.tell(engine_event::Spawned{++pid});
        engine.exit(1);
    }

    const EngineStatus& status() const { return engine.fsm.status(); }

    bool killed(bool forcibly) const {
        const auto* kill = engine.find<engine_action::Kill>();
        return kill != nullptr && kill->forcibly == forcibly;
    }

    std::int64_t pid = 100;
    Rng rng{1};
    EngineMachineHarness<EngineFsm> engine{EngineFsm(without_jitter(), rng)};
};

}  // namespace orch::node::lifecycle
