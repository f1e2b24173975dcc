#include "node/lifecycle/replica_table.hpp"

#include <algorithm>
#include <utility>

namespace orch::node::lifecycle {
namespace {

void fit_capacity(const ReplicaView& replica) {
    const std::uint32_t others = std::min(replica.slots_of_others, replica.slots_total);
    replica.cell->set_capacity(replica.slots_total - others);
}

}  // namespace

void ReplicaTable::put_pool(PoolSpec spec) {
    Row& row = rows_[spec.id];
    row.pool.spec = std::make_shared<const PoolSpec>(std::move(spec));
    row.pool.startable = startable_;
    touch(row);
}

void ReplicaTable::remove_pool(const PoolId& pool) {
    if (rows_.erase(pool) != 0) {
        published_.reset();
    }
}

void ReplicaTable::set_draining(const PoolId& pool, bool draining) {
    const auto row = rows_.find(pool);
    if (row != rows_.end() && row->second.pool.draining != draining) {
        row->second.pool.draining = draining;
        touch(row->second);
    }
}

void ReplicaTable::set_startable(bool startable) {
    if (std::exchange(startable_, startable) == startable) {
        return;
    }
    for (auto& [id, row] : rows_) {
        row.pool.startable = startable;
        touch(row);
    }
}

void ReplicaTable::set_replica_vram(const PoolId& pool, Bytes bytes) {
    const auto row = rows_.find(pool);
    if (row != rows_.end() && row->second.pool.replica_vram != bytes) {
        row->second.pool.replica_vram = bytes;
        touch(row->second);
    }
}

void ReplicaTable::add_replica(
    const PoolId& pool, const ReplicaId& replica, std::uint32_t slots, bool watched
) {
    const auto row = rows_.find(pool);
    if (row == rows_.end() || row->second.pool.find(replica) != nullptr) {
        return;
    }
    ReplicaView added;
    added.id = replica;
    added.slots_total = slots;
    added.cell = std::make_shared<LoadCell>(slots);
    added.watched = watched;
    row->second.pool.replicas.push_back(std::move(added));
    touch(row->second);
}

void ReplicaTable::remove_replica(const PoolId& pool, const ReplicaId& replica) {
    const auto row = rows_.find(pool);
    if (row == rows_.end()) {
        return;
    }
    const auto is_it = [&](const ReplicaView& candidate) { return candidate.id == replica; };
    if (std::erase_if(row->second.pool.replicas, is_it) != 0) {
        touch(row->second);
    }
}

void ReplicaTable::bind(const PoolId& pool, const ReplicaId& replica, ReplicaBinding binding) {
    if (ReplicaView* const view = edit(pool, replica)) {
        view->url = std::move(binding.url);
        view->log_path = std::move(binding.log_path);
        view->load_progress.reset();
        view->cell->clear_suspicion();
    }
}

void ReplicaTable::set_status(
    const PoolId& pool, const ReplicaId& replica, const EngineStatus& status, WallTime now
) {
    ReplicaView* const view = edit(pool, replica);
    if (view == nullptr) {
        return;
    }
    if (std::exchange(view->state, status.state) != status.state) {
        view->since = now;
        view->load_progress.reset();
    }
    view->pid = status.pid;
    view->last_error = status.last_error;
}

void ReplicaTable::give_up(
    const PoolId& pool, const ReplicaId& replica, std::string why, WallTime now
) {
    EngineStatus status;
    status.last_error = std::move(why);
    set_status(pool, replica, status, now);
    if (ReplicaView* const view = edit(pool, replica)) {
        view->given_up = true;
    }
}

void ReplicaTable::set_facts(
    const PoolId& pool, const ReplicaId& replica, const ReplicaFacts& facts
) {
    if (ReplicaView* const view = edit(pool, replica)) {
        view->slots_total = facts.slots_total.value_or(view->slots_total);
        view->ctx = facts.ctx;
        view->engine_version = facts.engine_version;
        fit_capacity(*view);
    }
}

void ReplicaTable::set_load_progress(
    const PoolId& pool, const ReplicaId& replica, double progress
) {
    if (ReplicaView* const view = edit(pool, replica)) {
        view->load_progress = std::clamp(progress, 0.0, 1.0);
    }
}

void ReplicaTable::set_slots_of_others(
    const PoolId& pool, const ReplicaId& replica, std::uint32_t slots
) {
    if (ReplicaView* const view = edit(pool, replica)) {
        view->slots_of_others = slots;
        fit_capacity(*view);
    }
}

std::shared_ptr<const PoolsView> ReplicaTable::snapshot() {
    if (published_) {
        return published_;
    }
    auto view = std::make_shared<PoolsView>();
    view->version = ++version_;
    view->pools.reserve(rows_.size());
    for (auto& [id, row] : rows_) {
        if (!row.published) {
            row.published = std::make_shared<const PoolView>(row.pool);
        }
        view->pools.push_back(row.published);
    }
    published_ = std::move(view);
    return published_;
}

ReplicaView* ReplicaTable::edit(const PoolId& pool, const ReplicaId& replica) {
    const auto row = rows_.find(pool);
    if (row == rows_.end()) {
        return nullptr;
    }
    const auto found = std::ranges::find(row->second.pool.replicas, replica, &ReplicaView::id);
    if (found == row->second.pool.replicas.end()) {
        return nullptr;
    }
    touch(row->second);
    return &*found;
}

void ReplicaTable::touch(Row& row) {
    row.published.reset();
    published_.reset();
}

}  // namespace orch::node::lifecycle
