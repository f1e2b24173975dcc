#pragma once

#include "api/catalog_messages.hpp"
#include "api/node_views.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

// Which nodes shall get a model, and where each takes it from. Pure.
namespace orch::control::catalog {

// What one node has to do.
struct StagingStep {
    NodeId node;
    std::string address;    // base URL of its API
    bool has_it = false;    // nothing to do
    std::string source;     // for POST /v2/models; empty when it has it
    bool peer = false;      // the source is another node
    std::string hindrance;  // why it cannot even be asked; empty mostly
};

struct StagingPlan {
    std::string model_id;
    std::optional<std::string> digest;  // what every copy must have
    Bytes bytes = 0;                    // of one copy; 0 = not known before
    std::vector<StagingStep> steps;     // by node
};

// `entry`: the catalog's, or null. A path or URL in model_ref is each node's source. An id is taken
// from the nodes that have it ready, in turn, else from the entry's source_url. Of `replicas` those
// that have it count first; then the Online nodes with the most free disk.
// Errors: not_found (an unknown node; nothing to take the model from), invalid_params (no id),
// conflict (copies differ; too few nodes fit, with the reason of each).
Result<StagingPlan> plan_staging(
    const api::StageRequest& request,
    const api::CatalogModel* entry,
    std::span<const api::NodeInfo> nodes
);

// The id that a request's model will have. Errors: invalid_params.
Result<std::string> staged_id(const api::StageRequest& request);

}  // namespace orch::control::catalog
