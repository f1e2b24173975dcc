#pragma once

#include "sim/world/engine_process.hpp"
#include "sim/world/node_daemon.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace orch::sim::world {

// A GPU machine: its clock, its disk, its processes, and the daemon when one runs.
class NodeHost {
public:
    NodeHost(Hub& hub, std::size_t index);

    std::size_t index() const { return index_; }

    // --- its clock, which runs a little fast or slow and shows another time
    Instant local() const;
    Instant global(Instant local) const;
    Duration global(Duration local) const;

    // --- its disk
    Duration disk_delay();

    // One run record per replica, as in the state directory: a new one takes the place of the old.
    using RecordKey = std::pair<PoolId, ReplicaId>;

    void save_record(const RecordKey& key, std::int64_t pid) { records_[key] = pid; }

    void remove_record(const RecordKey& key) { records_.erase(key); }

    const std::map<RecordKey, std::int64_t>& records() const { return records_; }

    // --- its processes
    std::shared_ptr<EngineProcess> spawn();  // null: it cannot be started
    std::shared_ptr<EngineProcess> find(std::int64_t pid) const;
    std::vector<std::shared_ptr<EngineProcess>> running() const;

    // Names a piece of work at its engines, which may outlive the daemon that gave it.
    std::uint64_t next_work() { return ++works_; }

    // --- its daemon
    void start_daemon();
    void crash_daemon();
    void stop_daemon(Duration pause, bool keep);  // in order; started again after a pause
    void power_off();

    NodeDaemon* daemon() { return daemon_.get(); }

    bool powered() const { return powered_; }

    // --- what the network brings
    void connect(const std::shared_ptr<Call>& call);
    void request(const std::shared_ptr<Call>& call);
    void close(const std::shared_ptr<Call>& call);

    // --- what faults set
    Duration disk_slowness{};
    bool spawn_fails = false;

private:
    Hub& hub_;
    std::size_t index_;
    double rate_;
    Duration offset_;
    bool powered_ = true;
    std::uint64_t boots_ = 0;
    std::uint64_t works_ = 0;
    std::int64_t pids_ = 1000;
    std::map<RecordKey, std::int64_t> records_;
    std::vector<std::shared_ptr<EngineProcess>> engines_;
    std::shared_ptr<NodeDaemon> daemon_;
};

}  // namespace orch::sim::world
