#pragma once

#include "base/clock.hpp"
#include "control/gateway/retry_budget.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace orch::sim::world {

// What a run of the simulation breaks on purpose, to show that somebody notices.
enum class Sabotage : std::uint8_t {
    none,
    leaked_slot,       // a claim of a failed place is not given back
    doubled_release,   // a slot is given back twice
    doubled_dispatch,  // a request is sent to two places at once
    forgotten_end,     // a request ends without telling its client
    doubled_end,       // a client is told two ends
    stale_view,        // an edge gets no more views
    deaf_dispatcher,   // the queue gets no views, and the edges leave it all to it
    jumped_queue,      // every third request says that it has waited for long
    ignored_lease,     // a node takes every request, slot or not
    leaked_lease,      // a node keeps the lease of an answer that was cut
    silent_node,       // a node that runs beats no more
    immortal_node,     // silence is not noticed
    doubled_engine,    // a second process is started for a replica
    repeated_piece,    // a piece of an answer is relayed twice
    skipped_piece,     // an answer goes on one piece too late
    retry_storm,       // no budget holds second tries back
    lazy_loader,       // nobody asks for a pool to be loaded
};

// Kinds of faults, as the summary counts them.
enum class Fault : std::uint8_t {
    engine_crash,
    engine_freeze,
    daemon_crash,
    daemon_restart,
    machine_off,
    control_crash,
    control_stop,
    control_stall,
    edge_stall,
    partition,
    one_way,
    slow_link,
    bad_link,
    slow_disk,
    failing_spawn,
    cordon,
    pool_drain,
};

inline constexpr std::size_t kFaults = 17;

inline constexpr std::array<std::string_view, kFaults> kFaultNames{
    "engine crashes",
    "engine freezes",
    "daemon crashes",
    "daemon restarts",
    "machines off",
    "control crashes",
    "control stops",
    "control stalls",
    "edge stalls",
    "partitions",
    "one-way cuts",
    "slow links",
    "bad links",
    "slow disks",
    "failing spawns",
    "cordons",
    "pool drains",
};

// One run: the same options, the same events.
struct Options {
    std::uint64_t seed = 1;
    std::size_t nodes = 4;
    std::size_t models = 2;
    std::size_t edges = 2;
    std::uint32_t slots = 2;     // of each replica
    std::uint32_t replicas = 1;  // of each pool
    std::size_t pools = 1;       // of each node
    std::size_t requests = 200;
    Duration load = std::chrono::minutes(6);  // while requests arrive and faults happen
    Duration between_faults = std::chrono::seconds(8);
    Duration sample = std::chrono::milliseconds(100);  // between two looks at everything
    std::size_t queue = 30;
    Duration queue_timeout = std::chrono::seconds(40);
    control::gateway::RetryBudgetConfig retry_budget{};
    bool on_demand = false;  // pools are at rest until a request wants them
    Sabotage sabotage = Sabotage::none;
    bool verbose = false;
};

// A small cluster whose size and load follow from the seed.
Options small(std::uint64_t seed);

// A thousand nodes and a hundred thousand requests.
Options large(std::uint64_t seed);

}  // namespace orch::sim::world
