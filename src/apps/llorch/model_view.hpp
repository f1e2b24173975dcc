#pragma once

#include "api/catalog_availability.hpp"
#include "api/catalog_messages.hpp"
#include "api/operation.hpp"
#include "apps/llorch/table.hpp"

#include <string>

// What `llorch model` prints. Pure.
namespace orch::llorch {

// A row per model: its life, size, copies and digest.
std::string catalog_text(const api::CatalogModelList& list, const TextStyle& style);

// One model: what is known of it, then a row per copy.
std::string catalog_model_text(const api::CatalogModel& model, const TextStyle& style);

// A row per model: on how many nodes, and which.
std::string availability_text(const api::CatalogAvailability& seen, const TextStyle& style);

// A row per node of an operation that has ended, or just its id and state.
std::string operation_text(const api::Operation& operation, const TextStyle& style);

// "model.stage tiny: 42% (3.1 of 7.4 GiB)", for a line that is written over.
std::string progress_text(const api::Operation& operation);

// "850 B", "12.5 MiB", "4.7 GiB"
std::string size_text(Bytes bytes);

}  // namespace orch::llorch
