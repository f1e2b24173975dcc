#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

// Log files of engines: `<folder>/<pool>-<replica>-<n>.log`, one per start, n counting up.
// All of it blocks.
namespace orch::node::supervisor {

inline constexpr std::size_t kLogsKept = 5;          // per replica, the running one included
inline constexpr Bytes kLogLimit = 16 * kMiB;        // of one file
inline constexpr Bytes kTailBytes = 2 * kKiB;        // of a log that people are shown
inline constexpr std::size_t kTailLines = 20;        // the same
inline constexpr Bytes kDiagnosisBytes = 16 * kKiB;  // of a log that is searched for a reason

// The file for the next start, not made yet; removes what is older than the last kLogsKept.
// Errors: internal naming the folder when it cannot be read.
Result<std::string> next_log(
    const std::filesystem::path& folder, const PoolId& pool, const ReplicaId& replica
);

// The last `limit` bytes at most, as valid UTF-8; empty when the file cannot be read.
std::string load_log_tail(const std::string& path, Bytes limit);

// The last lines of `text` that fit both limits, whole ones only if any fits. Pure.
std::string_view last_lines(std::string_view text, std::size_t lines, Bytes bytes);

// Copies a log above `limit` to `<path>.1` and empties it; its writer appends, so it goes on.
void trim_log(const std::string& path, Bytes limit);

}  // namespace orch::node::supervisor
