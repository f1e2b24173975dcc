#pragma once

#include "base/host_port.hpp"
#include "engine/probe.hpp"
#include "net/client_pool.hpp"
#include "node/lifecycle/engine_events.hpp"
#include "node/lifecycle/process_facts.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace orch::node::supervisor {

inline constexpr Duration kProbeLimit = std::chrono::seconds(2);  // of each question to an engine

// Whom to ask.
struct ProbeQuestion {
    HostPort to;
    engine::ProbeTarget target;
    std::optional<std::int64_t> child;              // the process that ought to listen there
    std::optional<lifecycle::ProcessFacts> before;  // of it, at the last probe
    bool count_slots = false;                       // of a llamacpp engine: also ask /slots
};

// What was found. `outcome`, `process_idle` and `detail` go to the machine.
struct ProbeAnswer {
    bool cancelled = false;  // nothing was found out: the asking task is to end
    lifecycle::ProbeOutcome outcome = lifecycle::ProbeOutcome::no_answer;
    bool process_idle = false;
    std::string detail;
    std::optional<engine::LlamaProps> props;         // when it serves
    std::optional<engine::LlamaSlots> slots;         // when asked for and answered
    std::optional<lifecycle::ProcessFacts> process;  // for the next question's `before`
};

// Asks an engine whether it serves. Thread of `clients`.
Task<ProbeAnswer> probe_engine(net::ClientPool& clients, ProbeQuestion question);

}  // namespace orch::node::supervisor
