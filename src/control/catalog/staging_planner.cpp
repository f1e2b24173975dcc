#include "control/catalog/staging_planner.hpp"

#include "api/model_id.hpp"
#include "api/model_messages.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

namespace orch::control::catalog {
namespace {

using Nodes = std::vector<const api::NodeInfo*>;

bool is_place(std::string_view ref) {
    return ref.contains('/');
}

const api::ModelReport* find_ready(const api::NodeInfo& node, const std::string& id) {
    const auto found = std::ranges::find(node.models, id, &api::ModelReport::id);
    const bool ready = found != node.models.end() && found->state == api::kModelReady;
    return ready ? &*found : nullptr;
}

// Empty when work can be given to the node.
std::string hindrance_of(const api::NodeInfo& node) {
    if (!node.online) {
        return "the node is not online";
    }
    if (!node.reachable) {
        return fmt::format(
            "the node cannot be reached: {}", node.unreachable_reason.value_or("not asked yet")
        );
    }
    return "";
}

class Planner {
public:
    Planner(
        const api::StageRequest& request,
        const api::CatalogModel* entry,
        std::span<const api::NodeInfo> nodes
    )
        : request_(request), entry_(entry), nodes_(nodes) {}

    Result<StagingPlan> run() {
        auto id = staged_id(request_);
        if (!id) {
            return std::unexpected(id.error());
        }
        plan_.model_id = std::move(*id);
        if (auto agreed = find_holders(); !agreed) {
            return std::unexpected(agreed.error());
        }
        auto targets = request_.replicas ? choose_nodes() : named_nodes();
        if (!targets) {
            return std::unexpected(targets.error());
        }
        for (const api::NodeInfo* const node : *targets) {
            if (auto added = add_step(*node); !added) {
                return std::unexpected(added.error());
            }
        }
        return std::move(plan_);
    }

private:
    bool holds(const api::NodeInfo& node) const {
        return std::ranges::find(holders_, &node) != holders_.end();
    }

    // Nodes whose copy is the one that is wanted, and what is wanted.
    Result<void> find_holders() {
        plan_.digest = request_.digest;
        if (!plan_.digest && entry_ != nullptr) {
            plan_.digest = entry_->digest;
        }
        std::set<std::string> digests;
        for (const api::NodeInfo& node : nodes_) {
            const api::ModelReport* const copy = find_ready(node, plan_.model_id);
            if (copy == nullptr || !node.online || (plan_.digest && copy->digest != plan_.digest)) {
                continue;
            }
            holders_.push_back(&node);
            plan_.bytes = copy->bytes;
            digests.insert(copy->digest.value_or("unknown"));
        }
        if (digests.size() > 1) {
            return fail(
                Errc::conflict,
                fmt::format(
                    "digest: the copies of '{}' differ ({}): say which one is meant",
                    plan_.model_id,
                    fmt::join(digests, ", ")
                )
            );
        }
        if (!plan_.digest && !is_place(request_.model_ref) && !holders_.empty()) {
            plan_.digest = find_ready(*holders_.front(), plan_.model_id)->digest;
        }
        return {};
    }

    Result<Nodes> named_nodes() const {
        Nodes targets;
        for (const NodeId& id : request_.nodes) {
            const auto node = std::ranges::find(nodes_, id, &api::NodeInfo::node_id);
            if (node == nodes_.end()) {
                return fail(
                    Errc::not_found, fmt::format("nodes: the node '{}' is unknown", id.str())
                );
            }
            targets.push_back(&*node);
        }
        return targets;
    }

    // Why a node is not chosen; empty when it can be.
    std::string misfit(const api::NodeInfo& node) const {
        const Bytes free = node.disk_free_bytes.value_or(0);
        if (auto why = hindrance_of(node); !why.empty()) {
            return why;
        }
        if (plan_.bytes > free) {
            return fmt::format("{} bytes are free, {} are needed", free, plan_.bytes);
        }
        return "";
    }

    Result<Nodes> choose_nodes() const {
        Nodes targets = holders_;
        Nodes others;
        std::vector<std::string> reasons;
        for (const api::NodeInfo& node : nodes_) {
            if (holds(node)) {
                continue;
            }
            if (const std::string why = misfit(node); why.empty()) {
                others.push_back(&node);
            } else {
                reasons.push_back(fmt::format("{}: {}", node.node_id.str(), why));
            }
        }
        std::ranges::sort(others, [](const api::NodeInfo* a, const api::NodeInfo* b) {
            const Bytes a_free = a->disk_free_bytes.value_or(0);
            const Bytes b_free = b->disk_free_bytes.value_or(0);
            return a_free != b_free ? a_free > b_free : a->node_id < b->node_id;
        });
        const std::size_t wanted = *request_.replicas;
        for (std::size_t i = 0; i < others.size() && targets.size() < wanted; ++i) {
            targets.push_back(others[i]);
        }
        if (targets.size() < wanted) {
            return fail(
                Errc::conflict,
                fmt::format(
                    "replicas: {} nodes are wanted and {} can have the model{}{}",
                    wanted,
                    targets.size(),
                    reasons.empty() ? "" : ": ",
                    fmt::join(reasons, "; ")
                )
            );
        }
        std::ranges::sort(targets, {}, [](const api::NodeInfo* node) { return node->node_id; });
        return targets;
    }

    Result<void> add_step(const api::NodeInfo& node) {
        StagingStep step;
        step.node = node.node_id;
        step.address = node.address;
        step.has_it = holds(node);
        step.hindrance = hindrance_of(node);
        if (!step.has_it) {
            if (auto found = choose_source(step); !found) {
                return found;
            }
        }
        plan_.steps.push_back(std::move(step));
        return {};
    }

    Result<void> choose_source(StagingStep& step) {
        if (is_place(request_.model_ref)) {
            step.source = request_.model_ref;
            return {};
        }
        if (!holders_.empty()) {
            const api::NodeInfo& holder = *holders_[next_holder_++ % holders_.size()];
            step.source = fmt::format("{}/v2/models/{}/blob", holder.address, plan_.model_id);
            step.peer = true;
            return {};
        }
        if (entry_ != nullptr && entry_->source_url) {
            step.source = *entry_->source_url;
            return {};
        }
        return fail(
            Errc::not_found,
            fmt::format(
                "model_ref: no online node has '{}' ready{}, and the catalog has no source_url for "
                "it",
                plan_.model_id,
                plan_.digest ? " with digest " + *plan_.digest : ""
            )
        );
    }

    const api::StageRequest& request_;
    const api::CatalogModel* entry_;
    std::span<const api::NodeInfo> nodes_;
    Nodes holders_;
    std::size_t next_holder_ = 0;
    StagingPlan plan_;
};

}  // namespace

Result<std::string> staged_id(const api::StageRequest& request) {
    if (request.id) {
        return *request.id;
    }
    std::string_view name = request.model_ref;
    if (is_place(name)) {
        name = name.substr(0, name.find_first_of("?#"));
        name = name.substr(name.rfind('/') + 1);
    }
    const auto id = is_place(request.model_ref) || !api::valid_model_id(name)
                        ? api::model_id_of_file(name)
                        : std::optional(std::string(name));
    if (!id) {
        return fail(
            Errc::invalid_params,
            fmt::format("id: must be given, since '{}' does not end in a name", request.model_ref)
        );
    }
    return *id;
}

Result<StagingPlan> plan_staging(
    const api::StageRequest& request,
    const api::CatalogModel* entry,
    std::span<const api::NodeInfo> nodes
) {
    return Planner(request, entry, nodes).run();
}

}  // namespace orch::control::catalog
