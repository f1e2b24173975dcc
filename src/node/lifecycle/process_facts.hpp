#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orch::node::lifecycle {

// What /proc/PID/stat says about a process.
struct ProcessFacts {
    std::int64_t pid = 0;
    char state = '?';              // R, S, D, T (stopped), t (traced), Z (ended, not reaped), X
    std::uint64_t cpu_ticks = 0;   // user and system time used so far, in clock ticks
    std::uint64_t start_time = 0;  // clock ticks from boot to its start: never two of one pid
};

// Reads the text of /proc/PID/stat; program names with spaces and parentheses included.
// Errors: internal when it is no such text.
Result<ProcessFacts> parse_process_stat(std::string_view text);

// Whether the process did nothing between two looks: it is stopped or ended, or used no CPU time.
// Without an earlier look nothing is known, so it is not.
bool was_idle(const std::optional<ProcessFacts>& before, const ProcessFacts& now);

// The inode of the socket that listens on 127.0.0.1 or 0.0.0.0 at `port`, found in the text of
// /proc/net/tcp; nothing when none does.
std::optional<std::uint64_t> find_listener_inode(std::string_view proc_net_tcp, std::uint16_t port);

// The inode a link of /proc/PID/fd names ("socket:[1234]"), if it is a socket.
std::optional<std::uint64_t> socket_inode(std::string_view link_target);

}  // namespace orch::node::lifecycle
