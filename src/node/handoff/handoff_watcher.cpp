#include "node/handoff/handoff_watcher.hpp"

#include "base/file.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

namespace orch::node::handoff {
namespace {

constexpr Bytes kFileLimit = kMiB;

using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

struct Looked {
    FileStamp stamp;
    Duration age;
};

std::optional<Looked> look(const std::filesystem::path& path, WallTime now) {
    struct stat facts{};
    if (stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return std::nullopt;
    }
    const std::int64_t mtime = facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec;
    const FileStamp stamp{mtime, static_cast<std::uint64_t>(facts.st_size), facts.st_ino};
    return Looked{stamp, Duration(unix_ms(now) * 1'000'000 - mtime)};
}

}  // namespace

HandoffWatcher::HandoffWatcher(
    HandoffWatcherConfig config,
    async::AsyncClock& clock,
    HandoffProbe& probe,
    OnHandoff on_handoff,
    Logger log
)
    : config_(std::move(config)),
      clock_(clock),
      probe_(probe),
      on_handoff_(std::move(on_handoff)),
      log_(std::move(log)) {}

Task<void> HandoffWatcher::scan_at_interval() {
    std::error_code ignored;
    std::filesystem::create_directories(config_.folder, ignored);
    do {
        scan();
    } while (co_await clock_.sleep_for(config_.interval));
}

// Without inotify (no more instances, a file system that has none) the interval alone serves.
Task<void> HandoffWatcher::scan_on_change() {
    co_await asio::this_coro::throw_if_cancelled(false);
    const Executor executor = co_await asio::this_coro::executor;
    const int file = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (file < 0) {
        log_.warn("the handoff folder is read at intervals only", {{"reason", "no inotify"}});
        co_return;
    }
    Descriptor inotify(executor, file);
    std::error_code ignored;
    std::filesystem::create_directories(config_.folder, ignored);
    inotify_add_watch(file, config_.folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO);
    std::array<char, 4096> events{};
    for (;;) {
        const auto [failure, bytes] =
            co_await inotify.async_read_some(asio::buffer(events), use_tuple);
        if (failure) {
            co_return;
        }
        scan();
    }
}

void HandoffWatcher::scan() {
    std::set<std::string, std::less<>> names;
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(config_.folder, failure)) {
        const std::string name = entry.path().filename().string();
        if (is_handoff_name(name)) {
            names.insert(name);
        }
    }
    memory_.retain(names);
    for (const std::string& name : names) {
        look_at(config_.folder / name, name);
    }
    if (!failure) {
        probe_.scanned(clock_.wall());
    }
}

void HandoffWatcher::look_at(const std::filesystem::path& path, const std::string& name) {
    const auto looked = look(path, clock_.wall());
    if (!looked || !memory_.is_news(name, looked->stamp)) {
        return;
    }
    const auto content = load_file(path.string(), kFileLimit);
    if (!content) {
        memory_.note(name, looked->stamp);
        probe_.malformed();
        log_.warn(
            "a handoff file cannot be read",
            {{"path", path.string()}, {"reason", content.error().message}}
        );
        return;
    }
    act(path, looked->age, memory_.judge(name, looked->stamp, looked->age, *content));
}

void HandoffWatcher::act(const std::filesystem::path& path, Duration age, HandoffVerdict verdict) {
    std::error_code failure;
    if (auto* const taken = std::get_if<TakeIn>(&verdict)) {
        if (config_.remove_taken_in) {
            std::filesystem::remove(path, failure);
        }
        take_in(std::move(taken->file), age);
    } else if (const auto* const aside = std::get_if<SetAside>(&verdict)) {
        log_.warn(
            "a handoff file is malformed and was set aside",
            {{"path", path.string()}, {"reason", aside->reason}, {"as", aside->new_name}}
        );
        probe_.malformed();
        std::filesystem::rename(path, path.parent_path() / aside->new_name, failure);
    } else if (std::holds_alternative<IgnoreOtherSchema>(verdict)) {
        log_.info("a file in the handoff folder is no handoff file", {{"path", path.string()}});
        probe_.ignored();
    }
}

void HandoffWatcher::take_in(api::HandoffFile file, Duration age) {
    const PoolId pool = file.pool_id;
    const Instant before = clock_.now();
    if (on_handoff_(std::move(file))) {
        // A file from a clock ahead of ours has no age.
        probe_.taken_in(pool, std::max(age, Duration{}) + (clock_.now() - before));
    } else {
        probe_.refused();
    }
}

}  // namespace orch::node::handoff
