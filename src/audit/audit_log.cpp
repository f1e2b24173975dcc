#include "audit/audit_log.hpp"

#include "audit/chain.hpp"
#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace orch::audit {
namespace {

constexpr Duration kFaultPeriod = std::chrono::seconds(60);
constexpr Bytes kLargestFile = 4 * kGiB;

std::unexpected<Error> failure_at(const std::string& path, int error) {
    return fail(Errc::internal, fmt::format("{}: {}", path, std::strerror(error)));
}

// A file open for appending, closed at the end of the scope.
class Appender {
public:
    explicit Appender(const std::string& path)
        : file_(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) {}

    ~Appender() {
        if (file_ >= 0) {
            close(file_);
        }
    }

    Appender(const Appender&) = delete;
    Appender& operator=(const Appender&) = delete;

    bool append(std::string_view text) const {
        while (file_ >= 0 && !text.empty()) {
            const ssize_t written = ::write(file_, text.data(), text.size());
            if (written < 0 && errno == EINTR) {
                continue;
            }
            if (written <= 0) {
                return false;
            }
            text.remove_prefix(static_cast<std::size_t>(written));
        }
        return file_ >= 0 && fdatasync(file_) == 0;
    }

private:
    int file_;
};

}  // namespace

AuditLog::AuditLog(std::string folder, const Clock& clock, Logger log)
    : folder_(std::move(folder)), clock_(clock), faults_(std::move(log), clock, kFaultPeriod) {}

AuditLog::~AuditLog() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

Result<void> AuditLog::open() {
    if (folder_.empty()) {
        return {};
    }
    std::error_code failure;
    std::filesystem::create_directories(folder_, failure);
    if (failure) {
        return failure_at(folder_, failure.value());
    }
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, failure);
    if (auto recovered = recover(); !recovered) {
        return recovered;
    }
    thread_ = std::thread([this] { run(); });
    return {};
}

// Only the end of the last file matters: checking the whole chain is `llorch audit verify`'s work.
Result<void> AuditLog::recover() {
    const auto paths = list_files(folder_);
    if (!paths) {
        return std::unexpected(paths.error());
    }
    for (auto path = paths->rbegin(); path != paths->rend(); ++path) {
        const auto text = load_file(*path, kLargestFile);
        if (!text) {
            return std::unexpected(text.error());
        }
        const std::size_t whole = text->rfind('\n') + 1;  // 0 when there is no newline
        if (whole != text->size()) {
            if (truncate(path->c_str(), static_cast<off_t>(whole)) != 0) {
                return failure_at(*path, errno);
            }
            write(
                {"audit_recovered",
                 "",
                 "",
                 "success",
                 {{"bytes_cut_off", std::to_string(text->size() - whole)}}}
            );
        }
        if (whole == 0) {
            continue;
        }
        const std::string_view lines = std::string_view(*text).substr(0, whole - 1);
        const std::string_view last = lines.substr(lines.rfind('\n') + 1);
        const auto links = read_links(last);
        // A last line that was tampered with stays as it is, for everybody to see.
        hash_ = links ? links->hash : first_hash();
        return {};
    }
    return {};
}

void AuditLog::write(Event event) {
    if (folder_.empty()) {
        return;
    }
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= kMostWaiting) {
        ++dropped_;
        return;
    }
    waiting_.push_back(std::move(event));
    changed_.notify_all();
}

void AuditLog::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (waiting_.empty()) {
            return;
        }
        std::vector<Event> events = std::exchange(waiting_, {});
        unwritten_ += std::exchange(dropped_, 0);
        lock.unlock();
        append(events);
        lock.lock();
    }
}

void AuditLog::append(const std::vector<Event>& events) {
    const WallTime when = clock_.wall();
    std::string hash = hash_;
    std::string text;
    const auto add = [&](const Event& event) {
        Line line = make_line(event, when, hash);
        text += line.text;
        hash = std::move(line.hash);
    };
    if (unwritten_ != 0) {
        add({"audit_dropped", "", "", "success", {{"events", std::to_string(unwritten_)}}});
    }
    for (const Event& event : events) {
        add(event);
    }
    if (append_text(text, when)) {
        hash_ = std::move(hash);
        unwritten_ = 0;
    } else {
        unwritten_ += events.size();
    }
}

bool AuditLog::append_text(const std::string& text, WallTime when) {
    const std::string path = folder_ + "/" + rfc3339(when).substr(0, 10) + ".ndjson";
    const Appender file(path);
    if (file.append(text)) {
        return true;
    }
    const std::string reason = std::strerror(errno);
    faults_.error(path, "the audit log cannot be written", {{"file", path}, {"reason", reason}});
    // A half-written batch must not stand in the way of the next one.
    (void)recover();
    return false;
}

}  // namespace orch::audit
