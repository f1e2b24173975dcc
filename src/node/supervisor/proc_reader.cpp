#include "node/supervisor/proc_reader.hpp"

#include "base/file.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

namespace orch::node::supervisor {
namespace {

namespace fs = std::filesystem;

constexpr Bytes kTableLimit = 64 * kMiB;  // of /proc/net/tcp: 400,000 sockets

ListenerOwner look_among_files(std::int64_t pid, std::uint64_t inode) {
    std::error_code failure;
    fs::directory_iterator entry(fmt::format("/proc/{}/fd", pid), failure);
    if (failure == std::errc::permission_denied) {
        return ListenerOwner::unknown;
    }
    for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
        std::error_code closed_meanwhile;
        const fs::path target = fs::read_symlink(entry->path(), closed_meanwhile);
        if (!closed_meanwhile && lifecycle::socket_inode(target.string()) == inode) {
            return ListenerOwner::process;
        }
    }
    return ListenerOwner::other;
}

}  // namespace

std::optional<lifecycle::ProcessFacts> load_process(std::int64_t pid) {
    const auto text = load_file(fmt::format("/proc/{}/stat", pid));
    if (!text) {
        return std::nullopt;
    }
    const auto facts = lifecycle::parse_process_stat(*text);
    return facts ? std::optional(*facts) : std::nullopt;
}

std::string load_boot_id() {
    const auto text = load_file("/proc/sys/kernel/random/boot_id");
    return text ? std::string(trimmed(*text)) : std::string{};
}

ListenerOwner find_listener_owner(std::int64_t pid, std::uint16_t port) {
    const auto table = load_file("/proc/net/tcp", kTableLimit);
    if (!table) {
        return ListenerOwner::unknown;
    }
    const auto inode = lifecycle::find_listener_inode(*table, port);
    return inode ? look_among_files(pid, *inode) : ListenerOwner::nobody;
}

}  // namespace orch::node::supervisor
