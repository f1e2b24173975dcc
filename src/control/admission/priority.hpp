#pragma once

#include <optional>
#include <string_view>

namespace orch::control::admission {

// What a request says about its hurry; the wire text is the enumerator. It labels metrics, and the
// queue keeps one order for both.
enum class Priority { interactive, batch };

constexpr std::string_view to_string(Priority priority) {
    return priority == Priority::batch ? "batch" : "interactive";
}

constexpr std::optional<Priority> priority_from(std::string_view text) {
    if (text == "interactive") {
        return Priority::interactive;
    }
    return text == "batch" ? std::optional(Priority::batch) : std::nullopt;
}

}  // namespace orch::control::admission
