#pragma once

#include "async/child_process.hpp"
#include "node/lifecycle/engine_exit.hpp"
#include "node/supervisor/leftover.hpp"

#include <cstdint>
#include <optional>
#include <variant>

namespace orch::node::supervisor {

// The process of an engine: a child of this daemon, or one of an earlier run that was adopted. It
// outlives this object. Control thread.
class EngineProcess {
public:
    explicit EngineProcess(async::ChildProcess child) : process_(std::move(child)) {}

    explicit EngineProcess(Leftover adopted) : process_(std::move(adopted)) {}

    std::int64_t pid() const;

    void signal(int number);

    // How it ended, without its log; nothing when the waiting task was cancelled.
    Task<std::optional<lifecycle::EngineExit>> wait();

private:
    std::variant<async::ChildProcess, Leftover> process_;
};

}  // namespace orch::node::supervisor
