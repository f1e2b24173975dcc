#include "control/view/model_index.hpp"

#include "control/view/stable_hash.hpp"

namespace orch::control::view {
namespace {

constexpr std::size_t kKinds = 3;

}  // namespace

ModelIndex::ModelIndex() : lists_(kKinds) {}

ModelIndex::ModelIndex(std::span<const NodeBlockPtr> nodes)
    : lists_(kKinds), positions_(nodes.size()) {
    for (std::uint32_t n = 0; n < nodes.size(); ++n) {
        first_ordinal_.push_back(static_cast<std::uint32_t>(hashes_.size()));
        for (std::uint32_t p = 0; p < nodes[n]->pools.size(); ++p) {
            const PoolBlock& pool = nodes[n]->pools[p];
            hashes_.push_back(stable_hash(pool.key));
            add(of_kind(pool.kind), {n, p});
            for (const std::string& model : pool.models) {
                const auto [name, added] = by_model_.try_emplace(model, lists_.size());
                if (added) {
                    lists_.emplace_back();
                }
                add(name->second, {n, p});
            }
        }
    }
}

void ModelIndex::add(std::size_t list, PoolRef ref) {
    const auto at = static_cast<std::uint32_t>(lists_[list].size());
    lists_[list].push_back(ref);
    positions_[ref.node].push_back({static_cast<std::uint32_t>(list), at, ref.pool});
}

std::optional<std::size_t> ModelIndex::find(std::string_view model) const {
    const auto found = by_model_.find(model);
    return found == by_model_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace orch::control::view
