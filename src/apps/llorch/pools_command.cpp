#include "apps/llorch/commands.hpp"
#include "apps/llorch/pools_view.hpp"

namespace orch::llorch {

ExitCode pools_command(ApiClient& client, bool json, std::int64_t now_ms, Console& console) {
    const Format format = [&console, now_ms](const std::string& body) -> Result<std::string> {
        const auto list = api::from_json<api::PoolList>(body);
        if (!list) {
            return std::unexpected(list.error());
        }
        return pools_text(*list, now_ms, console.style);
    };
    return print_get(client, "/v2/pools", json, format, console);
}

}  // namespace orch::llorch
