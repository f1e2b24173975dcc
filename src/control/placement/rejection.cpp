#include "control/placement/rejection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace orch::control::placement {
namespace {

using view::ClusterView;
using view::NodeBlock;
using view::PoolBlock;

constexpr std::size_t kLongestEcho = 128;  // bytes of a client's model name in a message

bool names_model(const PlacementRequest& request) {
    return request.model && !request.model->empty();
}

std::string echo(const PlacementRequest& request) {
    return request.model->substr(0, kLongestEcho);
}

Error unlisted_model(const ClusterView& view, const PlacementRequest& request, Instant now) {
    if (view.warming_up(now)) {
        return Error{
            Errc::model_not_available,
            fmt::format("the model '{}' is not listed yet: nodes are still joining", echo(request)),
            {}
        };
    }
    return Error{
        Errc::model_not_found, fmt::format("no node lists the model '{}'", echo(request)), {}
    };
}

std::string why_node(const NodeBlock& node) {
    if (node.status == NodeStatus::online) {
        return fmt::format(
            "node '{}' cannot be reached{}{}",
            node.id.str(),
            node.unreachable_reason.empty() ? "" : ": ",
            node.unreachable_reason
        );
    }
    return fmt::format("node '{}' is {}", node.id.str(), to_string(node.status));
}

std::string why_pool(const PoolBlock& pool) {
    return fmt::format(
        "pool '{}' of node '{}' is {}",
        pool.key.pool.str(),
        pool.key.node.str(),
        pool.draining ? "draining" : "not ready"
    );
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
    if (names_model(request)) {
        return Error{
            Errc::model_not_available,
            fmt::format("no pool is ready to serve the model '{}'", echo(request)),
            {}
        };
    }
    return Error{
        Errc::pool_unavailable, fmt::format("no {} pool is ready", to_string(request.kind)), {}
    };
}

Error nothing_left(const PlacementRequest& request, const Tally& tally) {
    const bool pinned = request.pin_node || request.pin_pool;
    const char* const why = tally.ready_unavoided == 0 ? "every ready pool is avoided"
                            : pinned                   ? "the pinned place does not serve it"
                                                       : "no preferred pool is ready";
    return Error{Errc::pool_unavailable, fmt::format("nothing fits the request: {}", why), {}};
}

double load_of(const PoolBlock& pool) {
    return pool.slots_total == 0 ? 1.0 : static_cast<double>(pool.busy()) / pool.slots_total;
}

Considered describe(const PoolBlock& pool) {
    Considered entry;
    entry.key = pool.key;
    entry.load = load_of(pool);
    entry.vram_free = pool.vram_free;
    return entry;
}

Considered describe_ranked(const Candidate& candidate) {
    Considered entry = describe(*candidate.pool);
    entry.feasible = true;
    entry.reasons.push_back(
        fmt::format("{} of {} slots busy", candidate.busy, candidate.slots_total)
    );
    entry.reasons.push_back(fmt::format("{} GiB VRAM free", candidate.free_gib));
    if (candidate.suspect) {
        entry.reasons.emplace_back("suspect: a connection was refused lately");
    }
    if (!candidate.wanted) {
        entry.reasons.emplace_back("a fallback: neither pinned nor preferred");
    }
    return entry;
}

Considered describe_refused(
    const NodeBlock& node, const PoolBlock& pool, const PlacementRequest& request
) {
    const Verdict verdict = judge(node, pool, request);
    Considered entry = describe(pool);
    const auto add = [&](bool holds, std::string reason) {
        if (holds) {
            entry.reasons.push_back(std::move(reason));
        }
    };
    add(!verdict.node_ok, why_node(node));
    add(!verdict.pool_ok, why_pool(pool));
    add(verdict.avoided, "avoided by the request");
    add(!verdict.pinned, "the request is pinned elsewhere");
    add(!verdict.preferred, "not preferred by the request");
    add(verdict.excluded, "it refused the request in this round");
    return entry;
}

}  // namespace

Error make_rejection(
    const ClusterView& view, const PlacementRequest& request, const Tally& tally, Instant now
) {
    if (names_model(request) && tally.listed == 0) {
        return unlisted_model(view, request, now);
    }
    if (!request.fallback) {
        if (auto error = pin_error(view, request)) {
            return std::move(*error);
        }
    }
    return tally.ready == 0 ? nothing_ready(request) : nothing_left(request, tally);
}

std::vector<Considered> explain_pools(
    const ClusterView& view,
    const PlacementRequest& request,
    std::span<const view::PoolRef> refs,
    std::span<const Candidate> ranked
) {
    std::vector<Considered> considered;
    considered.reserve(refs.size());
    for (const Candidate& candidate : ranked) {
        considered.push_back(describe_ranked(candidate));
    }
    for (const view::PoolRef ref : refs) {
        const PoolBlock& pool = view.pool(ref);
        const Verdict verdict = judge(view.node(ref), pool, request);
        if (!verdict.feasible(request.fallback) || verdict.excluded) {
            considered.push_back(describe_refused(view.node(ref), pool, request));
        }
    }
    return considered;
}

}  // namespace orch::control::placement
