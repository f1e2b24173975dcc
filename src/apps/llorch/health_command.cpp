#include "apps/llorch/commands.hpp"
#include "apps/llorch/health_view.hpp"

namespace orch::llorch {

ExitCode health_command(ApiClient& client, bool json, Console& console) {
    const Format format = [](const std::string& body) -> Result<std::string> {
        const auto health = parse_health(body);
        if (!health) {
            return std::unexpected(health.error());
        }
        return health_text(*health);
    };
    return print_get(client, "/health", json, format, console);
}

}  // namespace orch::llorch
