#pragma once

#include "api/catalog_availability.hpp"
#include "api/node_views.hpp"

#include <span>

namespace orch::control::catalog {

// GET /v2/catalog/availability out of what nodes report. A node has the models that its pools
// serve, under served names and aliases, and the ready files of its store. Pure.
api::CatalogAvailability make_availability(std::span<const api::NodeInfo> nodes);

}  // namespace orch::control::catalog
