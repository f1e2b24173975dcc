#include "control/registry/model_listing.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace orch::control::registry {
namespace {

struct Seen {
    api::ModelExtras extras;
    const view::NodeBlock* last_node = nullptr;  // nodes come one after the other
};

void count(Seen& seen, const view::NodeBlock& node, const view::PoolBlock& pool) {
    seen.extras.nodes += seen.last_node == &node ? 0 : 1;
    seen.last_node = &node;
    seen.extras.ready_pools += node.takes_work() && pool.ready && !pool.draining ? 1 : 0;
    if (pool.ctx != 0) {
        seen.extras.ctx = std::max(seen.extras.ctx.value_or(0), pool.ctx);
    }
}

}  // namespace

api::ModelList list_models(const view::ClusterView& view, std::int64_t created_seconds) {
    std::map<std::string, Seen> models;
    for (const view::NodeBlockPtr& node : view.nodes()) {
        for (const view::PoolBlock& pool : node->pools) {
            if (node->online && !pool.served_name.empty()) {
                count(models[pool.served_name], *node, pool);
            }
        }
    }
    api::ModelList list;
    for (const auto& [name, seen] : models) {
        api::ModelEntry entry;
        entry.id = name;
        entry.created = created_seconds;
        entry.llorch = seen.extras;
        list.data.push_back(std::move(entry));
    }
    return list;
}

}  // namespace orch::control::registry
