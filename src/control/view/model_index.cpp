#include "control/view/model_index.hpp"

namespace orch::control::view {

ModelIndex::ModelIndex(std::span<const NodeBlockPtr> nodes) {
    for (std::uint32_t n = 0; n < nodes.size(); ++n) {
        for (std::uint32_t p = 0; p < nodes[n]->pools.size(); ++p) {
            const PoolBlock& pool = nodes[n]->pools[p];
            by_kind_[static_cast<std::size_t>(pool.kind)].push_back({n, p});
            for (const std::string& model : pool.models) {
                by_model_[model].push_back({n, p});
            }
        }
    }
}

std::span<const PoolRef> ModelIndex::find(std::string_view model) const {
    const auto found = by_model_.find(model);
    return found == by_model_.end() ? std::span<const PoolRef>{} : found->second;
}

std::span<const PoolRef> ModelIndex::of_kind(ModelKind kind) const {
    return by_kind_[static_cast<std::size_t>(kind)];
}

}  // namespace orch::control::view
