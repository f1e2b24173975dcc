#include "api/fleet_messages.hpp"
#include "apps/llorch/commands.hpp"
#include "apps/llorch/error_text.hpp"
#include "apps/llorch/nodes_view.hpp"
#include "apps/llorch/printable.hpp"
#include "base/strong_id.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::llorch {
namespace {

struct Change {
    net::Method method = net::Method::post;
    std::string path{};
    std::string body{};
    Duration wait = Duration::zero();
};

Change change_of(Command command, const NodeOptions& options) {
    const std::string node = "/v2/nodes/" + options.id;
    switch (command) {
        case Command::nodes_add:
            return {
                .path = "/v2/nodes/static",
                .body = api::to_json(api::StaticNodeRequest{options.url})
            };
        case Command::nodes_remove:
            return {.method = net::Method::del, .path = node};
        case Command::nodes_uncordon:
            return {.path = node + "/uncordon"};
        case Command::nodes_approve:
            return {.path = node + "/approve"};
        case Command::nodes_drain: {
            const std::chrono::seconds wait(options.wait_secs);
            const api::DrainRequest drain{static_cast<std::uint64_t>(to_ms(wait))};
            return {.path = node + "/drain", .body = api::to_json(drain), .wait = wait};
        }
        default:
            return {.path = node + "/cordon"};
    }
}

ExitCode show_node(const std::string& body, Console& console) {
    const auto node = api::from_json<api::NodeInfo>(body);
    if (!node) {
        return report(console, failure_of_body("the change", node.error()));
    }
    console.out << nodes_text(api::make_list({*node}), console.style) << std::flush;
    return ExitCode::ok;
}

// A drain that ran out of time has failed, although the server did what it was told.
ExitCode judge_drain(const std::string& body, Console& console) {
    const auto node = api::from_json<api::NodeInfo>(body);
    const std::uint64_t left = node ? api::work_in_progress(*node) : 0;
    if (left == 0) {
        return ExitCode::ok;
    }
    return report(
        console,
        {ExitCode::refused, fmt::format("{} slots are still busy; it stays cordoned", left)}
    );
}

}  // namespace

ExitCode change_node_command(
    ApiClient& client, Command command, const NodeOptions& options, bool json, Console& console
) {
    if (command != Command::nodes_add && !valid_id(options.id)) {
        return report(
            console,
            {ExitCode::usage, fmt::format("'{}' cannot be a node's id", printable(options.id))}
        );
    }
    Change change = change_of(command, options);
    const auto answer =
        client.call(change.method, std::move(change.path), std::move(change.body), change.wait);
    if (!answer) {
        return report(console, answer.error());
    }
    if (json) {
        print_body(console, answer->body);
    }
    if (exit_code_for(answer->status) != ExitCode::ok) {
        return report(console, failure_of_answer(answer->status, answer->body));
    }
    if (command == Command::nodes_remove) {
        if (!json) {
            console.out << printable(options.id) << " is removed\n" << std::flush;
        }
        return ExitCode::ok;
    }
    if (!json) {
        if (const ExitCode shown = show_node(answer->body, console); shown != ExitCode::ok) {
            return shown;
        }
    }
    return command == Command::nodes_drain ? judge_drain(answer->body, console) : ExitCode::ok;
}

}  // namespace orch::llorch
