#include "node/supervisor/stray_engines.hpp"

#include "base/file.hpp"
#include "node/supervisor/proc_reader.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace orch::node::supervisor {
namespace {

namespace fs = std::filesystem;

std::optional<std::int64_t> pid_of(const std::string& name) {
    std::int64_t pid = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), pid);
    const bool all = failure == std::errc{} && end == name.data() + name.size();
    return all ? std::optional(pid) : std::nullopt;
}

// The value of the mark in an environment as the kernel shows it: NAME=value, each ended by NUL.
std::optional<fs::path> find_mark(std::string_view environment) {
    const std::string start = fmt::format("{}=", kEngineMark);
    while (!environment.empty()) {
        const std::string_view entry = environment.substr(0, environment.find('\0'));
        if (entry.starts_with(start)) {
            return fs::path(entry.substr(start.size()));
        }
        environment.remove_prefix(std::min(entry.size() + 1, environment.size()));
    }
    return std::nullopt;
}

// "<pool>-<replica>" of the record's name, which run_record_file_name() made.
std::optional<lifecycle::RunRecord> record_of(std::int64_t pid, const fs::path& mark) {
    const auto process = load_process(pid);
    const std::string name = mark.stem().string();
    const std::size_t dash = name.rfind('-');
    if (!process || dash == std::string::npos) {
        return std::nullopt;
    }
    lifecycle::RunRecord record;
    record.pool = PoolId(name.substr(0, dash));
    record.replica = ReplicaId(name.substr(dash + 1));
    record.pid = pid;
    record.start_time = process->start_time;
    record.boot_id = load_boot_id();
    return record;
}

}  // namespace

std::vector<lifecycle::RunRecord> find_stray_engines(
    const fs::path& run_folder, const std::set<std::int64_t>& recorded
) {
    std::vector<lifecycle::RunRecord> strays;
    std::error_code failure;
    fs::directory_iterator entry("/proc", failure);
    for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
        const auto pid = pid_of(entry->path().filename().string());
        // Engines lead a process group of their own; what they start is in it.
        if (!pid || recorded.contains(*pid) || getpgid(static_cast<pid_t>(*pid)) != *pid) {
            continue;
        }
        const auto environment = load_file((entry->path() / "environ").string());
        const auto mark = environment ? find_mark(*environment) : std::nullopt;
        if (!mark || mark->parent_path() != run_folder) {
            continue;
        }
        if (auto record = record_of(*pid, *mark)) {
            strays.push_back(std::move(*record));
        }
    }
    return strays;
}

}  // namespace orch::node::supervisor
