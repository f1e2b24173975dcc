#include "apps/llorch/commands.hpp"
#include "apps/llorch/nodes_view.hpp"

namespace orch::llorch {

ExitCode nodes_command(ApiClient& client, bool json, Console& console) {
    const Format format = [&console](const std::string& body) -> Result<std::string> {
        const auto list = api::from_json<api::NodeList>(body);
        if (!list) {
            return std::unexpected(list.error());
        }
        return nodes_text(*list, console.style);
    };
    return print_get(client, "/v2/nodes", json, format, console);
}

}  // namespace orch::llorch
