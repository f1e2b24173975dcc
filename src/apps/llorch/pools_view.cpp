#include "apps/llorch/pools_view.hpp"

#include "apps/llorch/figures.hpp"
#include "apps/llorch/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace orch::llorch {
namespace {

constexpr std::string_view kReady = "ready";

// Engine states of a pool that does not serve, nearest to serving first: the best replica speaks
// for its pool.
constexpr std::array<std::string_view, 7> kNearestFirst{
    api::kReplicaLoading,
    api::kReplicaStarting,
    "backing_off",
    "draining",
    "stopping",
    api::kReplicaBroken,
    api::kReplicaStopped
};

std::size_t distance_to_ready(const api::ReplicaReport& replica) {
    const auto* const found = std::ranges::find(kNearestFirst, replica.state);
    return static_cast<std::size_t>(found - kNearestFirst.begin());
}

std::string replica_state(const api::ReplicaReport& replica) {
    std::string text = printable(replica.state);
    std::ranges::replace(text, '_', ' ');
    if (replica.load_progress && replica.state != kReady) {
        text += " " + percent_text(*replica.load_progress);
    }
    return text;
}

// Told to drain, and done.
bool drained(const api::PoolInfo& pool) {
    return pool.draining && !pool.replicas.empty() &&
           std::ranges::all_of(pool.replicas, [](const api::ReplicaReport& replica) {
               return replica.state == api::kReplicaStopped;
           });
}

Cell state_of(const api::PoolInfo& pool) {
    if (pool.draining) {
        return {drained(pool) ? "drained" : "draining", Tone::warning};
    }
    if (pool.loadable) {
        return {"at rest"};
    }
    if (pool.ready) {
        return {std::string(kReady), Tone::good};
    }
    const auto best = std::ranges::min_element(pool.replicas, {}, distance_to_ready);
    if (best == pool.replicas.end() || best->state == kReady) {
        return {"not ready", Tone::bad};
    }
    const bool coming = best->state == api::kReplicaLoading || best->state == api::kReplicaStarting;
    return {replica_state(*best), coming ? Tone::warning : Tone::bad};
}

// The first line of an error is the sentence, the others are the end of the engine's log.
void add_error(std::vector<std::string>& notes, std::string_view error, std::string_view indent) {
    std::string_view mark = "error: ";
    for (const std::string& line : printable_lines(error)) {
        notes.push_back(fmt::format("{}{}{}", indent, mark, line));
        mark = "  | ";
    }
}

void add_replica(
    std::vector<std::string>& notes, const api::ReplicaReport& replica, std::int64_t now_ms
) {
    std::string line =
        fmt::format("replica {}: {}", printable(replica.replica_id.str()), replica_state(replica));
    if (replica.since_ms > 0) {
        line += fmt::format(" since {} ago", age_text(now_ms - replica.since_ms));
    }
    if (replica.pid) {
        line += fmt::format(", pid {}", *replica.pid);
    }
    notes.push_back(std::move(line));
    add_error(notes, replica.last_error.value_or(""), "  ");
    if (replica.log_path) {
        notes.push_back("  log: " + printable(*replica.log_path));
    }
}

// Whether a replica tells the pool's error by itself.
bool told_by_replica(const api::PoolInfo& pool) {
    return std::ranges::any_of(pool.replicas, [&](const api::ReplicaReport& replica) {
        return replica.state != kReady && replica.last_error == pool.last_error;
    });
}

std::vector<std::string> notes_of(const api::PoolInfo& pool, std::int64_t now_ms) {
    if (pool.loadable) {
        return {"the first request for it loads it"};
    }
    if (drained(pool)) {
        return {"takes no work until it is preloaded"};
    }
    std::vector<std::string> notes;
    if (pool.draining) {
        notes.emplace_back("finishes what it runs and takes no new work");
    }
    if (!pool.ready && pool.last_error && !told_by_replica(pool)) {
        add_error(notes, *pool.last_error, "");
    }
    for (const api::ReplicaReport& replica : pool.replicas) {
        if (replica.state != kReady) {
            add_replica(notes, replica, now_ms);
        }
    }
    if (notes.empty() && !pool.ready) {
        notes.emplace_back("its node reports no replica and no error");
    }
    return notes;
}

Row row_of(const api::PoolInfo& pool, std::int64_t now_ms) {
    Row row;
    row.cells = {
        {printable(pool.node_id.str())},
        {printable(pool.pool_id.str())},
        {or_unknown(pool.served_name)},
        {or_unknown(pool.engine)},
        state_of(pool),
        {share_text(pool.slots_free, pool.slots_total)},
        {number_text(pool.ctx)},
        {vram_text(pool.vram_free_bytes, pool.vram_total_bytes)},
    };
    row.notes = notes_of(pool, now_ms);
    return row;
}

}  // namespace

std::string pools_text(const api::PoolList& list, std::int64_t now_ms, const TextStyle& style) {
    if (list.pools.empty()) {
        return "No node has a pool.\n";
    }
    Table table;
    table.columns = {
        {"NODE"},
        {"POOL"},
        {"MODEL", Align::left, true},
        {"ENGINE"},
        {"STATE"},
        {"SLOTS FREE", Align::right},
        {"CTX", Align::right},
        {"VRAM FREE", Align::right},
    };
    for (const api::PoolInfo& pool : list.pools) {
        table.rows.push_back(row_of(pool, now_ms));
    }
    return render(table, style);
}

}  // namespace orch::llorch
