#pragma once

#include "base/enums.hpp"

#include <optional>
#include <span>
#include <string_view>

// Which of an engine's endpoints a node relays. Everything else does not exist for clients: an
// engine's own administration (slot actions, POST /props, adapters, model loading) would reach
// other clients' state. Pure; any thread.
namespace orch::engine {

enum class SlotNeed {
    none,   // answered beside the running batch
    lease,  // occupies a slot of the engine while it runs
};

struct RelayRule {
    std::string_view method;  // "GET" or "POST"
    std::string_view path;    // with its leading slash, exact
    SlotNeed slot = SlotNeed::none;
};

// The whole list of a family, for documentation and tests.
std::span<const RelayRule> relay_rules(EngineFamily family);

// The rule for a request; nothing = refuse with 404. `path` comes without its query.
std::optional<RelayRule> find_relay_rule(
    EngineFamily family, std::string_view method, std::string_view path
);

}  // namespace orch::engine
