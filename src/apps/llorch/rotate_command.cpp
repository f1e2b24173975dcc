#include "apps/llorch/commands.hpp"
#include "apps/llorch/token_rotation.hpp"
#include "base/digest.hpp"
#include "base/file.hpp"
#include "base/replace_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace orch::llorch {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr mode_t kPermissions = 07777;

// The daemon's user may be another than the one who rotates: mode and owner stay.
Outcome<void> replace_token_file(const std::string& path, const std::string& content) {
    struct stat before{};
    if (stat(path.c_str(), &before) != 0) {
        return failed(ExitCode::usage, fmt::format("--file: {}: {}", path, std::strerror(errno)));
    }
    if (auto replaced = replace_file(path, content, before.st_mode & kPermissions); !replaced) {
        return failed(ExitCode::usage, "--file: " + replaced.error().message);
    }
    if (chown(path.c_str(), before.st_uid, before.st_gid) != 0) {
        return failed(
            ExitCode::usage,
            fmt::format("--file: {}: its owner cannot be kept: {}", path, std::strerror(errno))
        );
    }
    return {};
}

}  // namespace

ExitCode rotate_command(const RotateOptions& options, Console& console) {
    std::error_code failure;
    // A link, as Kubernetes and configuration managers make them, stays one.
    const auto real = std::filesystem::canonical(options.file, failure);
    const std::string path = failure ? options.file : real.string();
    const auto content = load_file(path);
    if (!content) {
        return report(console, {ExitCode::usage, "--file: " + content.error().message});
    }
    const auto fresh = secure_random_hex(kTokenBytes);
    if (!fresh) {
        return report(console, {ExitCode::refused, fresh.error().message});
    }
    const auto rotated = plan_rotation(options.step, *content, path, *fresh);
    if (!rotated) {
        return report(console, rotated.error());
    }
    if (const auto replaced = replace_token_file(path, rotated->content); !replaced) {
        return report(console, replaced.error());
    }
    console.out << rotated->text << std::flush;
    return ExitCode::ok;
}

}  // namespace orch::llorch
