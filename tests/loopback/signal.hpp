#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace orch::loopback {

// How long a test waits for what is bound to happen: only a defect uses it up.
inline constexpr std::chrono::seconds kGuard{20};

// Something that happens once, on any thread.
class Signal {
public:
    void set() {
        const std::lock_guard lock(mutex_);
        set_ = true;
        changed_.notify_all();
    }

    // False when it does not happen in time.
    bool wait(std::chrono::milliseconds limit = kGuard) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, limit, [this] { return set_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool set_ = false;
};

}  // namespace orch::loopback
