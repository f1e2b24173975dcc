#pragma once

#include "node/lifecycle/process_facts.hpp"

#include <cstdint>
#include <optional>
#include <string>

// What the kernel says about processes, read from /proc. Quick; any thread.
namespace orch::node::supervisor {

// Nothing when there is no such process.
std::optional<lifecycle::ProcessFacts> load_process(std::int64_t pid);

// Tells boots of this machine apart; empty where the kernel does not say.
std::string load_boot_id();

enum class ListenerOwner {
    nobody,   // nothing listens there
    process,  // the process that was asked about
    other,    // somebody else, or a child of that process
    unknown,  // the kernel does not let us look
};

// Who listens on loopback at `port`: whether the socket is among the files of `pid`.
ListenerOwner find_listener_owner(std::int64_t pid, std::uint16_t port);

}  // namespace orch::node::supervisor
