#pragma once

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/lifecycle/process_facts.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orch::node::lifecycle {

// What the daemon must remember about an engine it started, to find it again after its own end.
// One file per replica in the state directory.
struct RunRecord {
    PoolId pool;
    ReplicaId replica;
    std::int64_t pid = 0;
    std::uint64_t start_time = 0;  // ProcessFacts::start_time
    std::uint16_t port = 0;        // on loopback
    std::string boot_id;    // of the machine: pids and start times mean nothing after a reboot
    std::string argv_hash;  // hash_argv of its command line
    std::string log_path;

    friend bool operator==(const RunRecord&, const RunRecord&) = default;
};

// "<pool>-<replica>.json": replica ids of this daemon hold no dash.
std::string run_record_file_name(const PoolId& pool, const ReplicaId& replica);

std::string to_json(const RunRecord& record);

// Errors: invalid_params naming the field.
Result<RunRecord> run_record_from_json(std::string_view text);

// Tells command lines apart: SHA-256 of the arguments, each ended by NUL, in hex. Not to be
// compared with /proc/PID/cmdline: a launcher may have executed something else since.
std::string hash_argv(const std::vector<std::string>& argv);

// What /proc and the settings say now about a recorded engine.
struct RunFacts {
    std::string boot_id;                  // of the machine, now
    std::optional<ProcessFacts> process;  // that has the recorded pid
    std::string argv_hash;  // of the command the present spec would start, port included
};

enum class RunVerdict {
    gone,     // the process has ended, or its pid is somebody else's now: forget the record
    adopt,    // it is ours and does what is wanted: go on using it
    replace,  // it is ours and was started for other settings: end it and start anew
};

RunVerdict decide_run(const RunRecord& record, const RunFacts& facts);

BOOST_DESCRIBE_STRUCT(
    RunRecord, (), (pool, replica, pid, start_time, port, boot_id, argv_hash, log_path)
)

}  // namespace orch::node::lifecycle
