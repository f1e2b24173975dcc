#pragma once

#include "async/async_clock.hpp"
#include "base/log.hpp"
#include "node/handoff/handoff_memory.hpp"

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
    using OnHandoff = std::function<void(api::HandoffFile)>;

    HandoffWatcher(
        HandoffWatcherConfig config, async::AsyncClock& clock, OnHandoff on_handoff, Logger log
    );

    // Two tasks of the same thread, both until cancelled.
    Task<void> scan_at_interval();
    Task<void> scan_on_change();

private:
    void scan();
    void look_at(const std::filesystem::path& path, const std::string& name);
    void act(const std::filesystem::path& path, HandoffVerdict verdict);

    HandoffWatcherConfig config_;
    async::AsyncClock& clock_;
    OnHandoff on_handoff_;
    Logger log_;
    HandoffMemory memory_;
};

}  // namespace orch::node::handoff
