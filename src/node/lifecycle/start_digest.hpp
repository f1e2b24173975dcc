#pragma once

#include "node/lifecycle/engine_command.hpp"

#include <cstdint>
#include <string>

namespace orch::node::lifecycle {

// Tells versions of a file apart without reading it.
struct FileStamp {
    std::uint64_t bytes = 0;
    std::int64_t modified_ns = 0;

    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// Tells apart what engines are started as: SHA-256, in hex, of the command line (its port
// included), of the variables that engines act on, and of the stamps of the program and the model.
// Other variables are left out: the daemon's own change with every start. Not to be compared with
// /proc/PID/cmdline: a launcher may have executed something else since. Pure.
std::string digest_start(
    const EngineCommand& command, const FileStamp& program, const FileStamp& model
);

}  // namespace orch::node::lifecycle
