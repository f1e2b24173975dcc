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

std::string drain_body(const PoolOptions& options) {
    const std::chrono::seconds wait(options.wait_secs);
    return api::to_json(api::PoolDrainRequest{static_cast<std::uint64_t>(to_ms(wait))});
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
    std::string path = path_of(options.id);
    if (path.empty()) {
        return report(
            console,
            {ExitCode::usage, fmt::format("'{}' cannot be a pool's id", printable(options.id))}
        );
    }
    const bool drains = command == Command::pools_drain;
    path += drains ? "/drain" : "/preload";
    const auto answer =
        client.call(net::Method::post, std::move(path), drains ? drain_body(options) : "");
    if (!answer) {
        return report(console, answer.error());
    }
    if (json) {
        print_body(console, answer->body);
    }
    if (exit_code_for(answer->status) != ExitCode::ok) {
        return report(console, failure_of_answer(answer->status, answer->body));
    }
    if (json) {
        return ExitCode::ok;
    }
    const auto pool = api::from_json<api::PoolInfo>(answer->body);
    if (!pool) {
        return report(console, failure_of_body("the change", pool.error()));
    }
    console.out << pools_text(api::make_list({*pool}), now_ms, console.style) << std::flush;
    return ExitCode::ok;
}

}  // namespace orch::llorch
