#include "control/catalog/catalog_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace orch::control::catalog {

api::CatalogModelList list_catalog(
    const CatalogTable& table, std::span<const api::NodeInfo> nodes, WallTime now
) {
    std::map<std::string, api::CatalogModel> models = table.entries();
    for (const api::NodeInfo& node : nodes) {
        for (const api::ModelReport& file : node.models) {
            if (!node.online) {
                continue;
            }
            const auto [at, fresh] = models.try_emplace(file.id);
            at->second.registered = at->second.registered && !fresh;
            at->second.nodes.push_back({node.node_id, file.state, file.digest, file.bytes});
        }
    }
    std::vector<api::CatalogModel> list;
    for (auto& [id, model] : models) {
        model.id = id;
        model.state = CatalogTable::retired(model, now) ? api::kRetired : api::kActive;
        list.push_back(std::move(model));
    }
    return api::make_list(std::move(list));
}

Result<api::CatalogModel> get_catalog_model(
    const CatalogTable& table,
    std::span<const api::NodeInfo> nodes,
    const std::string& id,
    WallTime now
) {
    api::CatalogModelList list = list_catalog(table, nodes, now);
    const auto found = std::ranges::find(list.models, id, &api::CatalogModel::id);
    if (found == list.models.end()) {
        return fail(
            Errc::not_found,
            fmt::format("the catalog has no model '{}', and no online node has one", id)
        );
    }
    return std::move(*found);
}

}  // namespace orch::control::catalog
