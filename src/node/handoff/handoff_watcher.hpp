#pragma once

#include "async/async_clock.hpp"
#include "base/log.hpp"
#include "node/handoff/handoff_memory.hpp"
#include "node/handoff/handoff_probe.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace orch::node::handoff {

struct HandoffWatcherConfig {
    std::filesystem::path folder;  // made when missing
    Duration interval = std::chrono::milliseconds(1000);
    bool remove_taken_in = true;
};

// Reads the handoff folder whenever the kernel reports a change in it, and at every interval in
// case it does not (network file systems). The control thread; files are small.
class HandoffWatcher {
public:
    // True when the engine is bound to its pool now.
    using OnHandoff = std::function<bool(api::HandoffFile)>;

    // `clock` and `probe` outlive it.
    HandoffWatcher(
        HandoffWatcherConfig config,
        async::AsyncClock& clock,
        HandoffProbe& probe,
        OnHandoff on_handoff,
        Logger log
    );

    // Two tasks of the same thread, both until cancelled.
    Task<void> scan_at_interval();
    Task<void> scan_on_change();

private:
    void scan();
    void look_at(const std::filesystem::path& path, const std::string& name);
    void act(const std::filesystem::path& path, Duration age, HandoffVerdict verdict);
    void take_in(api::HandoffFile file, Duration age);

    HandoffWatcherConfig config_;
    async::AsyncClock& clock_;
    HandoffProbe& probe_;
    OnHandoff on_handoff_;
    Logger log_;
    HandoffMemory memory_;
};

}  // namespace orch::node::handoff
