#include "control/tasks/idempotency_table.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::control::tasks {

Result<std::optional<std::string>> IdempotencyTable::find(
    const std::string& name, std::string_view fingerprint, std::string_view what, Instant now
) {
    forget_old(now);
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
        return std::nullopt;
    }
    if (found->second.fingerprint != fingerprint) {
        return fail(Errc::conflict, fmt::format("{}: was used with another body", what));
    }
    return found->second.answer;
}

void IdempotencyTable::remember(
    const std::string& name, std::string fingerprint, std::string answer, Instant now
) {
    entries_.insert_or_assign(name, Entry{std::move(fingerprint), std::move(answer)});
    ages_.push_back({name, now});
    forget_old(now);
}

void IdempotencyTable::forget_old(Instant now) {
    while (!ages_.empty() &&
           (now - ages_.front().since >= limits_.keep || ages_.size() > limits_.entries)) {
        entries_.erase(ages_.front().name);
        ages_.pop_front();
    }
}

}  // namespace orch::control::tasks
