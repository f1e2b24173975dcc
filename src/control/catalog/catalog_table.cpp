#include "control/catalog/catalog_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace orch::control::catalog {

bool CatalogTable::put(api::CatalogModel model, WallTime now) {
    const auto known = entries_.find(model.id);
    const bool fresh = known == entries_.end();
    model.created_ms = fresh ? unix_ms(now) : known->second.created_ms;
    model.state = fresh ? std::string(api::kActive) : known->second.state;
    model.retire_at_ms = fresh ? std::nullopt : known->second.retire_at_ms;
    model.last_verified_ms = std::nullopt;
    model.updated_ms = unix_ms(now);
    model.registered = true;
    model.nodes.clear();
    entries_[model.id] = std::move(model);
    return fresh;
}

Result<void> CatalogTable::remove(const std::string& id) {
    if (entries_.erase(id) == 0) {
        return fail(Errc::not_found, fmt::format("the catalog has no model '{}'", id));
    }
    return {};
}

void CatalogTable::set_state(
    const std::string& id, const api::ModelStateRequest& request, WallTime now
) {
    if (!entries_.contains(id)) {
        api::CatalogModel model;
        model.id = id;
        put(std::move(model), now);
    }
    api::CatalogModel& model = entries_.at(id);
    const bool later = request.state == api::kRetired && request.deadline_ms.value_or(0) > 0;
    model.state = later ? std::string(api::kActive) : request.state;
    model.retire_at_ms = later ? std::optional(unix_ms(now) + *request.deadline_ms) : std::nullopt;
    model.updated_ms = unix_ms(now);
}

void CatalogTable::note_verified(const std::string& id, WallTime now) {
    if (const auto known = entries_.find(id); known != entries_.end()) {
        known->second.last_verified_ms = unix_ms(now);
    }
}

const api::CatalogModel* CatalogTable::find(const std::string& id) const {
    const auto known = entries_.find(id);
    return known == entries_.end() ? nullptr : &known->second;
}

bool CatalogTable::retired(const api::CatalogModel& model, WallTime now) {
    return model.state == api::kRetired ||
           (model.retire_at_ms && *model.retire_at_ms <= unix_ms(now));
}

std::set<std::string> CatalogTable::retired_ids(WallTime now) const {
    std::set<std::string> ids;
    for (const auto& [id, model] : entries_) {
        if (retired(model, now)) {
            ids.insert(id);
        }
    }
    return ids;
}

std::optional<WallTime> CatalogTable::next_retirement(WallTime now) const {
    std::optional<std::int64_t> next;
    for (const auto& [id, model] : entries_) {
        if (!retired(model, now) && model.retire_at_ms) {
            next = std::min(next.value_or(*model.retire_at_ms), *model.retire_at_ms);
        }
    }
    return next ? std::optional(WallTime(std::chrono::milliseconds(*next))) : std::nullopt;
}

std::string CatalogTable::text() const {
    std::vector<api::CatalogModel> models;
    for (const auto& [id, model] : entries_) {
        models.push_back(model);
    }
    return api::to_json(api::make_list(std::move(models)));
}

Result<CatalogTable> CatalogTable::parse(std::string_view text) {
    auto list = api::from_json<api::CatalogModelList>(text);
    if (!list) {
        return std::unexpected(list.error());
    }
    CatalogTable table;
    for (api::CatalogModel& model : list->models) {
        const std::string id = model.id;
        if (!table.entries_.emplace(id, std::move(model)).second) {
            return fail(Errc::invalid_params, fmt::format("models: '{}' is there twice", id));
        }
    }
    return table;
}

}  // namespace orch::control::catalog
