#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace orch::control::tasks {

// The answers to submissions that carried a name of their own (Idempotency-Key, task_id): the same
// again gets the first answer. Owner: the control thread. Pure.
class IdempotencyTable {
public:
    struct Limits {
        Duration keep = std::chrono::hours(24);
        std::size_t entries = 100'000;  // the oldest go first
    };

    IdempotencyTable() = default;

    explicit IdempotencyTable(Limits limits) : limits_(limits) {}

    // The first answer, or nothing for a new name. `fingerprint` is the body's.
    // Errors: conflict, naming `what`, when the name was used with another body.
    Result<std::optional<std::string>> find(
        const std::string& name, std::string_view fingerprint, std::string_view what, Instant now
    );

    // Requires: find() found nothing.
    void remember(
        const std::string& name, std::string fingerprint, std::string answer, Instant now
    );

    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::string fingerprint;
        std::string answer;
    };

    struct Aging {
        std::string name;
        Instant since;
    };

    void forget_old(Instant now);

    Limits limits_{};
    std::unordered_map<std::string, Entry> entries_;
    std::deque<Aging> ages_;  // oldest first
};

}  // namespace orch::control::tasks
