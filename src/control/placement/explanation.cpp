#include "control/placement/explanation.hpp"

#include "control/placement/feasibility.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::control::placement {
namespace {

using view::ClusterView;
using view::NodeBlock;
using view::PoolBlock;

using Reasons = std::vector<std::string>;

constexpr std::size_t kLongestEcho = 128;  // bytes of a client's text in a message

double in_gib(Bytes bytes) {
    return static_cast<double>(bytes) / static_cast<double>(kGiB);
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

// `most` is the highest affinity of all candidates.
Considered describe_ranked(const Candidate& candidate, double most) {
    Considered entry = describe(*candidate.pool);
    entry.feasible = true;
    entry.reasons.push_back(
        fmt::format("{} of {} slots busy", candidate.busy, candidate.slots_total)
    );
    entry.reasons.push_back(fmt::format("{} GiB VRAM free", candidate.free_gib));
    if (candidate.affinity != 0 && candidate.affinity == most) {
        entry.reasons.emplace_back("the session's home");
    }
    if (candidate.suspect) {
        entry.reasons.emplace_back("suspect: a connection was refused lately");
    }
    if (!candidate.wanted) {
        entry.reasons.emplace_back("a fallback: neither pinned nor preferred");
    }
    return entry;
}

void add_labels(
    Reasons& reasons, const NodeBlock& node, const PoolBlock& pool, const PlacementRequest& request
) {
    for (const auto& [name, value] : request.labels) {
        const std::string_view own = view::label_of(node, pool, name);
        if (own != value) {
            reasons.push_back(fmt::format("its label {} is '{}', not '{}'", name, own, value));
        }
    }
}

void add_requirements(
    Reasons& reasons,
    Filters failed,
    const NodeBlock& node,
    const PoolBlock& pool,
    const PlacementRequest& request
) {
    if (failed.has(Filter::engine)) {
        reasons.push_back(fmt::format(
            "its engine is {}, not {}", to_string(pool.engine), to_string(*request.engine)
        ));
    }
    if (failed.has(Filter::ctx)) {
        reasons.push_back(fmt::format("its slots hold {} tokens, not {}", pool.ctx, request.ctx));
    }
    if (failed.has(Filter::vram)) {
        reasons.push_back(fmt::format(
            "to load its model it needs {:.1f} GiB VRAM, and {:.1f} GiB are free",
            in_gib(pool.vram_need),
            in_gib(pool.vram_free)
        ));
    }
    if (failed.has(Filter::device_mask)) {
        reasons.push_back(
            fmt::format("its device mask is '{}', not '{}'", pool.device_mask, *request.device_mask)
        );
    }
    if (failed.has(Filter::labels)) {
        add_labels(reasons, node, pool, request);
    }
}

void add_choice(Reasons& reasons, Filters failed, bool fallback) {
    if (failed.has(Filter::avoid)) {
        reasons.emplace_back("avoided by the request");
    }
    if (failed.has(Filter::pin) && !fallback) {
        reasons.emplace_back("the request is pinned elsewhere");
    }
    if (failed.has(Filter::prefer) && !fallback) {
        reasons.emplace_back("not preferred by the request");
    }
    if (failed.has(Filter::exclude)) {
        reasons.emplace_back("it refused the request in this round, or failed it");
    }
}

std::string why_not_served(const PoolBlock& pool, const PlacementRequest& request) {
    if (request.names_model()) {
        return fmt::format("it does not serve the model '{}'", echo_model(request));
    }
    return fmt::format(
        "its model is for {}, not for {}", to_string(pool.kind), to_string(request.kind)
    );
}

Considered describe_refused(
    const NodeBlock& node, const PoolBlock& pool, const PlacementRequest& request
) {
    const Filters failed = judge(node, pool, request).failed;
    Considered entry = describe(pool);
    if (!serves(pool, request)) {
        entry.reasons.push_back(why_not_served(pool, request));
    }
    if (failed.has(Filter::node)) {
        entry.reasons.push_back(why_node(node));
    }
    if (failed.has(Filter::pool)) {
        entry.reasons.push_back(why_pool(pool));
    }
    add_requirements(entry.reasons, failed, node, pool, request);
    add_choice(entry.reasons, failed, request.fallback);
    return entry;
}

class Explanation {
public:
    Explanation(const ClusterView& view, const PlacementRequest& request)
        : view_(view), request_(request) {}

    void add_ranked(std::span<const Candidate> ranked) {
        const auto most = std::ranges::max_element(ranked, {}, &Candidate::affinity);
        for (const Candidate& candidate : ranked) {
            if (full()) {
                return;
            }
            considered_.push_back(describe_ranked(candidate, most->affinity));
        }
    }

    void add_refused(std::span<const view::PoolRef> refs) {
        for (const view::PoolRef ref : refs) {
            const Verdict verdict = judge(view_.node(ref), view_.pool(ref), request_);
            if (!verdict.feasible(request_.fallback) || verdict.excluded()) {
                add_refused(view_.node(ref), view_.pool(ref));
            }
        }
    }

    void add_others() {
        for (const view::NodeBlockPtr& node : view_.nodes()) {
            for (const PoolBlock& pool : node->pools) {
                if (!serves(pool, request_)) {
                    add_refused(*node, pool);
                }
            }
        }
    }

    std::vector<Considered> take() { return std::move(considered_); }

private:
    bool full() const { return considered_.size() >= kMostExplained; }

    void add_refused(const NodeBlock& node, const PoolBlock& pool) {
        if (!full()) {
            considered_.push_back(describe_refused(node, pool, request_));
        }
    }

    const ClusterView& view_;
    const PlacementRequest& request_;
    std::vector<Considered> considered_;
};

}  // namespace

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
    const char* const state = pool.draining   ? "draining"
                              : pool.loading  ? "being loaded"
                              : pool.loadable ? "at rest: a request loads it"
                                              : "not ready";
    return fmt::format(
        "pool '{}' of node '{}' is {}{}{}",
        pool.key.pool.str(),
        pool.key.node.str(),
        state,
        pool.last_error.empty() ? "" : ": ",
        pool.last_error
    );
}

std::string echo_model(const PlacementRequest& request) {
    return request.model.value_or("").substr(0, kLongestEcho);
}

std::vector<Considered> explain_pools(
    const ClusterView& view,
    const PlacementRequest& request,
    std::span<const view::PoolRef> refs,
    std::span<const Candidate> ranked
) {
    Explanation explanation(view, request);
    explanation.add_ranked(ranked);
    explanation.add_refused(refs);
    explanation.add_others();
    return explanation.take();
}

}  // namespace orch::control::placement
