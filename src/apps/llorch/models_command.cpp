#include "apps/llorch/commands.hpp"
#include "apps/llorch/models_view.hpp"

namespace orch::llorch {
namespace {

// Nothing when the caller may not see pools: aliases are an extra.
std::optional<api::PoolList> find_pools(ApiClient& client) {
    const auto answer = client.get("/v2/pools");
    if (!answer || answer->status != 200) {
        return std::nullopt;
    }
    auto pools = api::from_json<api::PoolList>(answer->body);
    return pools ? std::optional(std::move(*pools)) : std::nullopt;
}

}  // namespace

ExitCode models_command(ApiClient& client, bool json, Console& console) {
    const Format format = [&](const std::string& body) -> Result<std::string> {
        const auto list = api::from_json<api::ModelList>(body);
        if (!list) {
            return std::unexpected(list.error());
        }
        return models_text(*list, find_pools(client), console.style);
    };
    return print_get(client, "/v1/models", json, format, console);
}

}  // namespace orch::llorch
