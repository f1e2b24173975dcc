#include "base/state_dir.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace orch {

std::string default_state_dir(
    std::string_view program, const std::map<std::string, std::string>& environment, bool is_root
) {
    if (is_root) {
        return fmt::format("/var/lib/llama-orch/{}", program);
    }
    const auto value_of = [&](const char* name) {
        const auto found = environment.find(name);
        return found == environment.end() ? std::string() : found->second;
    };
    const std::string xdg = value_of("XDG_STATE_HOME");
    const std::string base = xdg.empty() ? value_of("HOME") + "/.local/state" : xdg;
    return fmt::format("{}/llama-orch/{}", base, program);
}

std::string default_state_dir(
    std::string_view program, const std::map<std::string, std::string>& environment
) {
    return default_state_dir(program, environment, geteuid() == 0);
}

}  // namespace orch
