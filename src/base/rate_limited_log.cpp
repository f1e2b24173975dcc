#include "base/rate_limited_log.hpp"

#include <utility>
#include <vector>

namespace orch {
namespace {

// Keys may hold names that come from outside: a flood of them must not eat the memory.
constexpr std::size_t kMaxKeys = 1024;

}  // namespace

RateLimitedLog::RateLimitedLog(Logger log, const Clock& clock, Duration period)
    : log_(std::move(log)), clock_(clock), period_(period) {}

void RateLimitedLog::warn(std::string_view key, std::string_view sentence, LogFields fields) {
    write(LogLevel::warn, key, sentence, fields);
}

void RateLimitedLog::error(std::string_view key, std::string_view sentence, LogFields fields) {
    write(LogLevel::error, key, sentence, fields);
}

void RateLimitedLog::forget(std::string_view key) {
    if (const auto found = entries_.find(key); found != entries_.end()) {
        entries_.erase(found);
    }
}

void RateLimitedLog::write(
    LogLevel level, std::string_view key, std::string_view sentence, LogFields fields
) {
    const Instant now = clock_.now();
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
        drop_old(now);
        entries_.emplace(key, Entry{now});
        log_.write(level, sentence, fields);
        return;
    }
    Entry& entry = found->second;
    if (now - entry.logged < period_) {
        ++entry.suppressed;
        return;
    }
    std::vector<LogField> all(fields);
    if (entry.suppressed > 0) {
        all.emplace_back("suppressed", entry.suppressed);
    }
    entry = Entry{now};
    log_.write(level, sentence, all);
}

void RateLimitedLog::drop_old(Instant now) {
    if (entries_.size() < kMaxKeys) {
        return;
    }
    std::erase_if(entries_, [&](const auto& item) { return now - item.second.logged >= period_; });
    if (entries_.size() >= kMaxKeys) {
        entries_.clear();
    }
}

}  // namespace orch
