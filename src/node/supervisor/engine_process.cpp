#include "node/supervisor/engine_process.hpp"

namespace orch::node::supervisor {

std::int64_t EngineProcess::pid() const {
    const auto* const adopted = std::get_if<Leftover>(&process_);
    return adopted != nullptr ? adopted->record().pid
                              : std::get<async::ChildProcess>(process_).pid();
}

void EngineProcess::signal(int number) {
    std::visit([number](auto& process) { process.signal(number); }, process_);
}

Task<std::optional<lifecycle::EngineExit>> EngineProcess::wait() {
    if (auto* const adopted = std::get_if<Leftover>(&process_)) {
        const bool ended = co_await adopted->wait();
        co_return ended ? std::optional(lifecycle::EngineExit{.known = false}) : std::nullopt;
    }
    const async::ChildExit exit = co_await std::get<async::ChildProcess>(process_).wait();
    if (exit.signal < 0) {
        co_return std::nullopt;
    }
    co_return lifecycle::EngineExit{.code = exit.code, .signal = exit.signal};
}

}  // namespace orch::node::supervisor
