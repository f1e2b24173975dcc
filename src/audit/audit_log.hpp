#pragma once

#include "audit/record.hpp"
#include "base/log.hpp"
#include "base/rate_limited_log.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace orch::audit {

// Writes the audit log: <folder>/YYYY-MM-DD.ndjson, a file per day (UTC), readable by this
// program's user alone. A thread of its own writes, so that nobody waits for the disk; what came
// meanwhile is written together and then synced (fdatasync): a record is on disk within about the
// time of one sync, and a crash of the machine loses at most those that were not.
//
// A start continues the chain of the last file. What a crash left of a half-written line is cut
// off, and a record "audit_recovered" says how many bytes that were. When the disk fails or events
// come faster than it writes, events are dropped and a record "audit_dropped" counts them.
class AuditLog {
public:
    static constexpr std::size_t kMostWaiting = 4096;

    // An empty folder: nothing is written. The clock and the log outlive it.
    AuditLog(std::string folder, const Clock& clock, Logger log);

    // Writes what is waiting.
    ~AuditLog();

    AuditLog(const AuditLog&) = delete;
    AuditLog& operator=(const AuditLog&) = delete;

    // Begins to write; before that events wait. Errors: internal, naming the folder or file.
    Result<void> open();

    // Any thread; does not block for the disk.
    void write(Event event);

private:
    void run();
    void append(const std::vector<Event>& events);
    bool append_text(const std::string& text, WallTime when);
    Result<void> recover();

    const std::string folder_;
    const Clock& clock_;
    RateLimitedLog faults_;  // the thread's
    std::string hash_ = first_hash();
    std::uint64_t unwritten_ = 0;  // events that the disk did not take

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Event> waiting_;
    std::uint64_t dropped_ = 0;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace orch::audit
