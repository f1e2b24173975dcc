#include "control/gateway/decision_log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace orch::control::gateway {
namespace {

constexpr std::size_t kMostTold = 8;  // pools; POST /v2/tasks/preview tells more

std::string reasons_text(const placement::Decision& explained) {
    std::string text;
    const std::size_t told = std::min(kMostTold, explained.considered.size());
    for (std::size_t i = 0; i < told; ++i) {
        const placement::Considered& place = explained.considered[i];
        text += fmt::format(
            "{}{}/{}{}: {}",
            i == 0 ? "" : "; ",
            place.key.node.str(),
            place.key.pool.str(),
            place.feasible ? "" : " not",
            fmt::join(place.reasons, ", ")
        );
    }
    return text;
}

std::string_view outcome_of(const EdgeState::Choice& choice) {
    if (choice.claim) {
        return "claimed";
    }
    if (choice.awaited_until) {
        return "a pool is waited for, that comes back or is loaded";
    }
    if (choice.rejection) {
        return wire_name(choice.rejection->code);
    }
    return choice.all_excluded ? "all that fit were asked" : "all that fit are full";
}

}  // namespace

void log_decision(
    const Logger& log,
    const placement::PlacementRequest& request,
    const EdgeState::Choice& choice,
    const placement::Decision& explained
) {
    log.debug(
        "a place was looked for",
        {{"model", request.model.value_or("")},
         {"outcome", outcome_of(choice)},
         {"node_id", choice.claim ? choice.claim->node().id : NodeId()},
         {"pool", choice.claim ? choice.claim->pool().key.pool : PoolId()},
         {"serve_the_model", explained.looked_at},
         {"reasons", reasons_text(explained)}}
    );
}

}  // namespace orch::control::gateway
