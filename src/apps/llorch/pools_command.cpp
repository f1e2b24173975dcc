#include "api/fleet_messages.hpp"
#include "apps/llorch/commands.hpp"
#include "apps/llorch/error_text.hpp"
#include "apps/llorch/pools_view.hpp"
#include "apps/llorch/printable.hpp"
#include "base/strong_id.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::llorch {
namespace {

// Of "gpu-1/chat" or "chat"; empty when it can be neither.
std::string path_of(const std::string& id) {
    const auto slash = id.find('/');
    if (slash == std::string::npos) {
        return valid_id(id) ? "/v2/pools/" + id : "";
    }
    const std::string node = id.substr(0, slash);
    const std::string pool = id.substr(slash + 1);
    return valid_id(node) && valid_id(pool) ? fmt::format("/v2/nodes/{}/pools/{}", node, pool) : "";
}

struct Change {
    std::string verb;
    std::string body;
};

Change change_of(Command command, const PoolOptions& options) {
    const auto wait_ms = static_cast<std::uint64_t>(to_ms(std::chrono::seconds(options.wait_secs)));
    switch (command) {
        case Command::pools_drain:
            return {"drain", api::to_json(api::PoolDrainRequest{wait_ms})};
        case Command::pools_reload:
            return {"reload", api::to_json(api::PoolReloadRequest{options.model, wait_ms})};
        default:
            return {"preload", ""};
    }
}

}  // namespace

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

ExitCode change_pool_command(
    ApiClient& client,
    Command command,
    const PoolOptions& options,
    bool json,
    std::int64_t now_ms,
    Console& console
) {
    const std::string pool_path = path_of(options.id);
    if (pool_path.empty()) {
        return report(
            console,
            {ExitCode::usage, fmt::format("'{}' cannot be a pool's id", printable(options.id))}
        );
    }
    Change change = change_of(command, options);
    const auto answer =
        client.call(net::Method::post, pool_path + "/" + change.verb, std::move(change.body));
    const Format format = [&console, now_ms](const std::string& body) -> Result<std::string> {
        const auto pool = api::from_json<api::PoolInfo>(body);
        if (!pool) {
            return std::unexpected(pool.error());
        }
        return pools_text(api::make_list({*pool}), now_ms, console.style);
    };
    return print_answer(answer, json, format, "the change", console);
}

}  // namespace orch::llorch
