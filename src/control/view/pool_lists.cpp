#include "control/view/pool_lists.hpp"

namespace orch::control::view {
namespace {

ListedPool listed(const NodeBlock& node, const PoolBlock& pool, std::uint32_t ordinal) {
    return {
        .cell = pool.cell.get(),
        .free_gib = pool.vram_free / kGiB,
        .slots_total = pool.slots_total,
        .ordinal = ordinal,
        .open = node.takes_work() && pool.ready && !pool.draining,
    };
}

}  // namespace

PoolLists::PoolLists(const ModelIndex& index, std::span<const NodeBlockPtr> nodes) {
    lists_.reserve(index.lists());
    for (std::size_t i = 0; i < index.lists(); ++i) {
        auto list = std::make_shared<List>();
        list->reserve(index.pools(i).size());
        for (const PoolRef ref : index.pools(i)) {
            const NodeBlock& node = *nodes[ref.node];
            list->push_back(listed(node, node.pools[ref.pool], index.ordinal(ref)));
        }
        lists_.push_back(std::move(list));
    }
}

PoolLists::PoolLists(
    const PoolLists& before,
    const ModelIndex& index,
    std::span<const NodeBlockPtr> nodes,
    std::span<const std::uint32_t> changed
)
    : lists_(before.lists_) {
    std::vector<std::shared_ptr<List>> own(lists_.size());  // those that are ours to write
    for (const std::uint32_t n : changed) {
        for (const ModelIndex::Position& place : index.positions(n)) {
            const ListedPool now =
                listed(*nodes[n], nodes[n]->pools[place.pool], index.ordinal({n, place.pool}));
            if ((*lists_[place.list])[place.at] == now) {
                continue;
            }
            if (own[place.list] == nullptr) {
                own[place.list] = std::make_shared<List>(*lists_[place.list]);
                lists_[place.list] = own[place.list];
            }
            (*own[place.list])[place.at] = now;
        }
    }
}

}  // namespace orch::control::view
