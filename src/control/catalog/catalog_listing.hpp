#pragma once

#include "api/catalog_messages.hpp"
#include "api/node_views.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "control/catalog/catalog_table.hpp"

#include <span>
#include <string>

// The catalog as it is shown: entries and what nodes have, together. Pure.
namespace orch::control::catalog {

// By id. Copies of Online nodes only; a model without an entry is `registered: false`.
api::CatalogModelList list_catalog(
    const CatalogTable& table, std::span<const api::NodeInfo> nodes, WallTime now
);

// Errors: not_found (no entry, and no Online node has it).
Result<api::CatalogModel> get_catalog_model(
    const CatalogTable& table,
    std::span<const api::NodeInfo> nodes,
    const std::string& id,
    WallTime now
);

}  // namespace orch::control::catalog
