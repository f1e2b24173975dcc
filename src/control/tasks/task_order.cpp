#include "control/tasks/task_order.hpp"

#include "base/enums.hpp"

namespace orch::control::tasks {
namespace {

std::vector<placement::PlaceHint> hints(const std::vector<PoolId>& pools) {
    std::vector<placement::PlaceHint> hints;
    for (const PoolId& pool : pools) {
        hints.push_back({std::nullopt, pool});
    }
    return hints;
}

placement::PlacementRequest placement_of(const api::TaskSubmit& message) {
    const api::TaskPlacement& wanted = message.placement;
    const bool pinned = wanted.pin_pool_id || wanted.node_id;
    placement::PlacementRequest request;
    request.model = message.model_name();
    request.kind = message.kind();
    if (message.engine) {
        request.engine = engine_family_from(*message.engine);
    }
    request.ctx = static_cast<std::uint32_t>(message.ctx.value_or(0));
    request.device_mask = wanted.require_device_mask;
    request.session = message.session_id.value_or("");
    request.pin_node = wanted.node_id;
    request.pin_pool = wanted.pin_pool_id;
    request.prefer = hints(wanted.prefer_pools);
    request.avoid = hints(wanted.avoid_pools);
    request.labels = wanted.labels;
    request.fallback = wanted.allow_fallback.value_or(!pinned);
    return request;
}

}  // namespace

TaskOrder make_order(const api::TaskSubmit& message) {
    TaskOrder order;
    order.call = std::make_shared<const api::EngineCall>(api::make_engine_call(message));
    order.placement = placement_of(message);
    order.priority = admission::priority_from(message.priority).value_or(order.priority);
    if (message.deadline_ms) {
        order.deadline = std::chrono::milliseconds(*message.deadline_ms);
    }
    order.kind = message.kind();
    order.session_id = message.session_id;
    return order;
}

std::string_view workload_of(ModelKind kind) {
    switch (kind) {
        case ModelKind::embedding:
            return "embedding";
        case ModelKind::rerank:
            return "rerank";
        case ModelKind::chat:
            break;
    }
    return "completion";
}

}  // namespace orch::control::tasks
