#pragma once

#include "base/log.hpp"

#include <algorithm>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace orch {

// Keeps lines in memory, for tests of what is logged. Any thread.
class CapturedLog final : public LogOutput {
public:
    void write(std::string_view line) override {
        const std::lock_guard lock(mutex_);
        lines_.emplace_back(line);
    }

    std::vector<std::string> lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }

    // How many lines hold `text`.
    std::size_t count(std::string_view text) const {
        const auto all = lines();
        const auto holds = [text](const std::string& line) { return line.contains(text); };
        return static_cast<std::size_t>(std::ranges::count_if(all, holds));
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

}  // namespace orch
