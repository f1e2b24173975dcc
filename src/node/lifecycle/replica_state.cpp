#include "node/lifecycle/replica_state.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace orch::node::lifecycle {
namespace {

constexpr std::array<std::pair<ReplicaState, std::string_view>, 8> kNames{{
    {ReplicaState::stopped, "stopped"},
    {ReplicaState::starting, "starting"},
    {ReplicaState::loading, "loading"},
    {ReplicaState::ready, "ready"},
    {ReplicaState::draining, "draining"},
    {ReplicaState::stopping, "stopping"},
    {ReplicaState::backing_off, "backing_off"},
    {ReplicaState::broken, "broken"},
}};

}  // namespace

std::string_view to_string(ReplicaState state) {
    return kNames[static_cast<std::size_t>(state)].second;
}

std::optional<ReplicaState> replica_state_from(std::string_view text) {
    const auto found =
        std::ranges::find(kNames, text, [](const auto& name) { return name.second; });
    return found == kNames.end() ? std::nullopt : std::optional(found->first);
}

bool is_live(ReplicaState state) {
    return state == ReplicaState::loading || state == ReplicaState::ready ||
           state == ReplicaState::draining || state == ReplicaState::stopping;
}

}  // namespace orch::node::lifecycle
