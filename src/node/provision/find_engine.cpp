#include "node/provision/find_engine.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace orch::node::provision {
namespace {

constexpr std::string_view kServer = "llama-server";

// From build/<preset>/bin, where a source tree's programs lie.
constexpr std::string_view kLauncher = "../../venv/bin/llorch-llama-server";

// An empty element of PATH means the working directory, from which no engine is started unasked.
std::optional<std::string> find_on_path(
    std::string_view name, std::string_view path, const IsExecutable& is_executable
) {
    for (const std::string_view folder : split(path, ':')) {
        std::string candidate = fmt::format("{}/{}", folder, name);
        if (folder.starts_with('/') && is_executable(candidate)) {
            return candidate;
        }
    }
    return std::nullopt;
}

Result<FoundEngine> find_chosen(const EngineSearch& search, const IsExecutable& is_executable) {
    const std::string& chosen = *search.setting;
    const bool is_path = chosen.find('/') != std::string::npos;
    const auto binary = !is_path                ? find_on_path(chosen, search.path, is_executable)
                        : is_executable(chosen) ? std::optional(chosen)
                                                : std::nullopt;
    if (!binary) {
        return fail(
            Errc::not_found,
            fmt::format(
                "{}: '{}' is no executable file{}",
                search.setting_name,
                chosen,
                is_path ? "" : " on PATH"
            )
        );
    }
    return FoundEngine{*binary, fmt::format("engine {}: set by {}", *binary, search.setting_name)};
}

std::optional<std::string> find_launcher(
    std::string_view program_folder, const IsExecutable& is_executable
) {
    if (program_folder.empty()) {
        return std::nullopt;
    }
    const std::filesystem::path folder(program_folder);
    std::string launcher = (folder / kLauncher).lexically_normal().string();
    return is_executable(launcher) ? std::optional(launcher) : std::nullopt;
}

}  // namespace

Result<FoundEngine> find_engine(const EngineSearch& search, const IsExecutable& is_executable) {
    if (search.setting && !search.setting->empty()) {
        return find_chosen(search, is_executable);
    }
    if (const auto binary = find_on_path(kServer, search.path, is_executable)) {
        return FoundEngine{*binary, fmt::format("engine {}: found on PATH", *binary)};
    }
    if (const auto binary = find_launcher(search.program_folder, is_executable)) {
        return FoundEngine{
            *binary,
            fmt::format(
                "engine {}: llama.cpp's server from this build's Python environment, because no {} "
                "is set or on PATH",
                *binary,
                kServer
            )
        };
    }
    return fail(
        Errc::not_found,
        fmt::format(
            "no engine: put llama.cpp's {0} on PATH, or set POOL_MANAGERD_ENGINE_BINARY to it",
            kServer
        )
    );
}

}  // namespace orch::node::provision
