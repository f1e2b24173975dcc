#include "control/fleet/catalog_probe.hpp"

#include "api/catalog_messages.hpp"

namespace orch::control::fleet {

CatalogProbe::CatalogProbe(metrics::Registry& registry)
    : shard_(registry.add_shard()),
      verifications_(shard_.counter(
          {.name = "catalog_verifications_total",
           .help = "Copies of models that were read to compare their digest, by what came of it.",
           .labels = {"node_id", "result", "reason"}}
      )),
      states_(shard_.gauge(
          {.name = "model_state",
           .help = "1 for the state that a model's catalog entry is in, 0 for the other.",
           .labels = {"model_id", "state"}}
      )) {}

void CatalogProbe::verified(const NodeId& node) {
    verifications_.with({node.str(), "pass", ""})->add();
}

void CatalogProbe::verification_failed(const NodeId& node, std::string_view reason) {
    verifications_.with({node.str(), "fail", reason})->add();
}

void CatalogProbe::model_state(const std::string& id, bool retired) {
    states_.with({id, api::kActive})->set(retired ? 0 : 1);
    states_.with({id, api::kRetired})->set(retired ? 1 : 0);
}

void CatalogProbe::model_removed(const std::string& id) {
    states_.remove("model_id", id);
}

}  // namespace orch::control::fleet
