#include "control/catalog/availability.hpp"

#include "api/model_messages.hpp"

#include <map>
#include <set>
#include <string>

namespace orch::control::catalog {
namespace {

std::set<std::string> models_of(const api::NodeInfo& node) {
    std::set<std::string> models;
    for (const api::PoolInfo& pool : node.pools) {
        models.insert(pool.models_available.begin(), pool.models_available.end());
    }
    for (const api::ModelReport& file : node.models) {
        if (file.state == api::kModelReady) {
            models.insert(file.id);
        }
    }
    return models;
}

api::NodeAvailability describe(const api::NodeInfo& node, const std::set<std::string>& models) {
    api::NodeAvailability out;
    out.node_id = node.node_id;
    out.address = node.address;
    out.online = node.online;
    out.models.assign(models.begin(), models.end());
    for (const api::PoolInfo& pool : node.pools) {
        out.pools.push_back({pool.pool_id, pool.ready, pool.models_available});
    }
    return out;
}

void add_capacity(
    std::map<std::string, api::ModelAvailability>& models, const api::NodeInfo& node
) {
    for (const api::PoolInfo& pool : node.pools) {
        const std::set<std::string> names(
            pool.models_available.begin(), pool.models_available.end()
        );
        for (const std::string& name : names) {
            models[name].total_capacity += pool.slots_total;
        }
    }
}

}  // namespace

api::CatalogAvailability make_availability(std::span<const api::NodeInfo> nodes) {
    api::CatalogAvailability out;
    std::map<std::string, api::ModelAvailability> models;
    for (const api::NodeInfo& node : nodes) {
        const std::set<std::string> own = models_of(node);
        out.nodes[node.node_id.str()] = describe(node, own);
        for (const std::string& name : own) {
            api::ModelAvailability& model = models[name];
            if (node.online) {
                model.nodes.push_back(node.node_id);
            }
        }
        if (node.online) {
            add_capacity(models, node);
        }
    }
    for (auto& [name, model] : models) {
        model.model_id = name;
        model.total_nodes = model.nodes.size();
        if (model.total_nodes > 1) {
            out.replicated_models.push_back(name);
        } else if (model.total_nodes == 1) {
            out.single_node_models.push_back(name);
        }
        out.models.push_back(std::move(model));
    }
    out.total_models = out.models.size();
    return out;
}

}  // namespace orch::control::catalog
