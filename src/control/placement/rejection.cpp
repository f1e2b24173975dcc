#include "control/placement/rejection.hpp"

#include "control/placement/explanation.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace orch::control::placement {
namespace {

using view::ClusterView;
using view::NodeBlock;
using view::PoolBlock;

Error unlisted_model(const ClusterView& view, const PlacementRequest& request, Instant now) {
    if (view.warming_up(now)) {
        return Error{
            Errc::model_not_available,
            fmt::format(
                "the model '{}' is not listed yet: nodes are still joining", echo_model(request)
            ),
            {}
        };
    }
    return Error{
        Errc::model_not_found, fmt::format("no node lists the model '{}'", echo_model(request)), {}
    };
}

// The pinned pool on this node; any of its pools when only the node is pinned.
bool meets_pool_pin(const PoolBlock& pool, const PlacementRequest& request) {
    return !request.pin_pool || pool.key.pool == *request.pin_pool;
}

std::optional<Error> pinned_node_error(const ClusterView& view, const PlacementRequest& request) {
    if (!request.pin_node) {
        return std::nullopt;
    }
    const NodeBlock* const node = view.find_node(*request.pin_node);
    if (node == nullptr) {
        return Error{
            Errc::node_unavailable,
            fmt::format("the pinned node '{}' is unknown", request.pin_node->str()),
            {}
        };
    }
    if (!node->takes_work()) {
        return Error{Errc::node_unavailable, "the pinned " + why_node(*node), {}};
    }
    return std::nullopt;
}

// Why a pinned pool cannot serve, told by the best of its namesakes.
struct PinnedPools {
    const NodeBlock* down = nullptr;
    const PoolBlock* unready = nullptr;
    bool ready = false;

    void look_at(const NodeBlock& node, const PoolBlock& pool) {
        if (!node.takes_work()) {
            down = &node;
        } else if (!pool.ready || pool.draining) {
            unready = &pool;
        } else {
            ready = true;
        }
    }
};

PinnedPools find_pinned(const ClusterView& view, const PlacementRequest& request) {
    PinnedPools found;
    for (const view::NodeBlockPtr& node : view.nodes()) {
        const bool node_fits = !request.pin_node || node->id == *request.pin_node;
        for (const PoolBlock& pool : node->pools) {
            if (node_fits && meets_pool_pin(pool, request)) {
                found.look_at(*node, pool);
            }
        }
    }
    return found;
}

std::optional<Error> pinned_pool_error(const ClusterView& view, const PlacementRequest& request) {
    if (!request.pin_pool) {
        return std::nullopt;
    }
    const PinnedPools found = find_pinned(view, request);
    if (found.ready) {
        return std::nullopt;
    }
    if (found.unready != nullptr) {
        return Error{Errc::pool_unready, "the pinned " + why_pool(*found.unready), {}};
    }
    if (found.down != nullptr) {
        return Error{Errc::node_unavailable, "the pinned pool's " + why_node(*found.down), {}};
    }
    return Error{
        Errc::node_unavailable,
        fmt::format("the pinned pool '{}' is unknown", request.pin_pool->str()),
        {}
    };
}

std::optional<Error> pin_error(const ClusterView& view, const PlacementRequest& request) {
    if (auto error = pinned_node_error(view, request)) {
        return error;
    }
    return pinned_pool_error(view, request);
}

Error nothing_ready(const PlacementRequest& request) {
    if (request.names_model()) {
        return Error{
            Errc::model_not_available,
            fmt::format("no pool is ready to serve the model '{}'", echo_model(request)),
            {}
        };
    }
    return Error{
        Errc::pool_unavailable, fmt::format("no {} pool is ready", to_string(request.kind)), {}
    };
}

// The first requirement that every pool fails, as a sentence.
std::string unmet_by_all(const PlacementRequest& request, Filters failed) {
    if (failed.has(Filter::engine)) {
        return fmt::format("no pool runs the engine {}", to_string(*request.engine));
    }
    if (failed.has(Filter::ctx)) {
        return fmt::format("no pool's slots hold {} tokens", request.ctx);
    }
    if (failed.has(Filter::vram)) {
        return "no pool has enough free VRAM to load the model";
    }
    if (failed.has(Filter::device_mask)) {
        return fmt::format("no pool's device mask is '{}'", *request.device_mask);
    }
    if (failed.has(Filter::labels)) {
        return "no pool carries the labels it asks for";
    }
    return "each pool lacks something it asks for";
}

Error nothing_suitable(const PlacementRequest& request, const Tally& tally) {
    return Error{
        Errc::pool_unavailable,
        "nothing fits the request: " + unmet_by_all(request, tally.failed_by_all),
        {}
    };
}

Error nothing_left(const PlacementRequest& request, const Tally& tally) {
    const char* const why = tally.feasible == 0 ? "every ready pool is avoided"
                            : request.pinned()  ? "the pinned place does not serve it"
                                                : "no preferred pool is ready";
    return Error{Errc::pool_unavailable, fmt::format("nothing fits the request: {}", why), {}};
}

}  // namespace

Error make_rejection(
    const ClusterView& view, const PlacementRequest& request, const Tally& tally, Instant now
) {
    if (request.names_model() && tally.listed == 0) {
        return unlisted_model(view, request, now);
    }
    if (!request.fallback) {
        if (auto error = pin_error(view, request)) {
            return std::move(*error);
        }
    }
    if (tally.listed != 0 && tally.suitable == 0) {
        return nothing_suitable(request, tally);
    }
    return tally.ready == 0 ? nothing_ready(request) : nothing_left(request, tally);
}

}  // namespace orch::control::placement
