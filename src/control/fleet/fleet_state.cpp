#include "control/fleet/fleet_state.hpp"

#include "api/http_address.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/replace_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::control::fleet {
namespace {

constexpr std::uint32_t kVersion = 1;

std::unexpected<Error> corrupt(const std::string& path, std::string_view why) {
    return fail(
        Errc::internal,
        fmt::format("{}: {}; repair the file, or remove it to start without it", path, why)
    );
}

}  // namespace

std::string fleet_state_path(const std::string& state_dir) {
    return state_dir + "/fleet.json";
}

Result<FleetState> load_fleet_state(const std::string& path) {
    const auto text = load_file(path);
    if (!text && text.error().code == Errc::not_found) {
        return FleetState{};
    }
    if (!text) {
        return std::unexpected(text.error());
    }
    auto state = json::decode<FleetState>(*text);
    if (!state) {
        return corrupt(path, state.error().message);
    }
    if (state->version != kVersion) {
        return corrupt(path, fmt::format("version: {} is not known here", state->version));
    }
    for (const std::string& url : state->static_nodes) {
        if (const auto address = api::parse_http_address(url, "static_nodes"); !address) {
            return corrupt(path, address.error().message);
        }
    }
    for (const auto& [name, nodes] :
         {std::pair("cordoned", &state->cordoned), std::pair("approved", &state->approved)}) {
        const bool valid =
            std::ranges::all_of(*nodes, [](const NodeId& node) { return valid_id(node.str()); });
        if (!valid) {
            return corrupt(path, fmt::format("{}: holds what is no node id", name));
        }
    }
    return state;
}

Result<void> save_fleet_state(const std::string& path, const FleetState& state) {
    return replace_file(path, json::encode(state) + "\n");
}

}  // namespace orch::control::fleet
