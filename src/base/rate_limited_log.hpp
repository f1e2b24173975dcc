#pragma once

#include "base/log.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace orch {

// Logs a fault that repeats: the first occurrence of a key at once, later ones at most once per
// `period`, with a field `suppressed` that says how many were left out since. One owner thread.
class RateLimitedLog {
public:
    RateLimitedLog(Logger log, const Clock& clock, Duration period);

    void warn(std::string_view key, std::string_view sentence, LogFields fields = {});
    void error(std::string_view key, std::string_view sentence, LogFields fields = {});

    // The fault is over: its next occurrence is logged at once.
    void forget(std::string_view key);

private:
    struct Entry {
        Instant logged;
        std::uint64_t suppressed = 0;
    };

    void write(LogLevel level, std::string_view key, std::string_view sentence, LogFields fields);
    void drop_old(Instant now);

    Logger log_;
    const Clock& clock_;
    Duration period_;
    std::map<std::string, Entry, std::less<>> entries_;  // kept below kMaxKeys
};

}  // namespace orch
