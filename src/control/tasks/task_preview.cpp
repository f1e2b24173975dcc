#include "control/tasks/task_preview.hpp"

#include <optional>
#include <vector>

namespace orch::control::tasks {
namespace {

std::optional<Error> refusal_of(const gateway::Outlook& outlook, const Result<void>& served) {
    if (!served) {
        return served.error();
    }
    const bool rejected = outlook.decision.rejection && !outlook.decision.awaited_until;
    return rejected ? outlook.decision.rejection : outlook.refused;
}

}  // namespace

api::TaskPreview make_preview(const gateway::Outlook& outlook, const Result<void>& served) {
    api::TaskPreview preview;
    for (const placement::Considered& place : outlook.decision.considered) {
        preview.candidates.push_back(
            {place.key.node,
             place.key.pool,
             place.feasible,
             place.reasons,
             place.load,
             place.vram_free}
        );
    }
    if (const auto error = refusal_of(outlook, served)) {
        preview.code = wire_name(error->code);
        preview.message = error->message;
    } else if (outlook.slot_free) {
        const placement::Candidate& first = outlook.decision.ranked.front();
        preview.decision = api::TaskChoice{first.node->id, first.pool->key.pool};
        preview.queue_position = 0;
        preview.predicted_start_ms = 0;
    } else {
        preview.queue_position = outlook.standing.ahead;
        if (outlook.decision.awaited_until) {
            preview.message = outlook.decision.rejection->message;
        }
        if (outlook.standing.start_in) {
            preview.predicted_start_ms = to_ms(*outlook.standing.start_in);
        }
    }
    return preview;
}

api::ErrorDetails reasons_of(const placement::Decision& decision) {
    api::ErrorDetails details;
    std::vector<api::PlaceReasons>& places = details.candidates.emplace();
    for (const placement::Considered& place : decision.considered) {
        places.push_back({place.key.node, place.key.pool, place.reasons});
    }
    return details;
}

}  // namespace orch::control::tasks
