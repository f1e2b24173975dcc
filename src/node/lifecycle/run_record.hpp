#pragma once

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/lifecycle/process_facts.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orch::node::lifecycle {

// What the daemon must remember about an engine it started, to find it again after its own end.
// One file per replica in the state directory.
struct RunRecord {
    PoolId pool;
    ReplicaId replica;
    std::int64_t pid = 0;
    std::uint64_t start_time = 0;  // ProcessFacts::start_time
    std::uint16_t port = 0;        // on loopback
    std::string boot_id;       // of the machine: pids and start times mean nothing after a reboot
    std::string start_digest;  // digest_start() of what it was started as
    std::string log_path;

    friend bool operator==(const RunRecord&, const RunRecord&) = default;
};

// "<pool>-<replica>.json": replica ids of this daemon hold no dash.
std::string run_record_file_name(const PoolId& pool, const ReplicaId& replica);

std::string to_json(const RunRecord& record);

// Errors: invalid_params naming the field.
Result<RunRecord> run_record_from_json(std::string_view text);

// What /proc and the settings say now about a recorded engine.
struct RunFacts {
    std::string boot_id;                  // of the machine, now
    std::optional<ProcessFacts> process;  // that has the recorded pid
    std::optional<std::string>
        start_digest;  // of what would be started in its place, at its port;
                       // nothing when no replica of the settings is free for it
};

enum class RunVerdict {
    gone,   // the process has ended, or its pid is somebody else's now: forget the record
    adopt,  // it is ours and what would be started now: go on using it, once it proves itself
    end,    // it is ours and nobody wants it so: end it
};

// A stopped process (state T) is adopted too: its prober finds that it hangs.
RunVerdict decide_run(const RunRecord& record, const RunFacts& facts);

BOOST_DESCRIBE_STRUCT(
    RunRecord, (), (pool, replica, pid, start_time, port, boot_id, start_digest, log_path)
)

}  // namespace orch::node::lifecycle
