#pragma once

#include "base/enums.hpp"
#include "control/view/node_block.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace orch::control::view {

// A pool by its place in a view's list of nodes and in that node's list of pools.
struct PoolRef {
    std::uint32_t node = 0;
    std::uint32_t pool = 0;

    friend bool operator==(PoolRef, PoolRef) = default;
};

// The shape of a cluster: which pools there are, and from model names to those that list them, on
// nodes in any state. Pools that share a name or a kind are a list, in order of their keys, and
// lists are numbered. Immutable once built; shared by all views whose nodes have the same shape;
// any thread.
class ModelIndex {
public:
    // Where a pool stands: in which list, and where in it.
    struct Position {
        std::uint32_t list = 0;
        std::uint32_t at = 0;
        std::uint32_t pool = 0;  // of the node's list of pools
    };

    ModelIndex();
    explicit ModelIndex(std::span<const NodeBlockPtr> nodes);

    // Nothing when nobody lists the name.
    std::optional<std::size_t> find(std::string_view model) const;

    std::size_t of_kind(ModelKind kind) const { return static_cast<std::size_t>(kind); }

    std::size_t lists() const { return lists_.size(); }

    std::span<const PoolRef> pools(std::size_t list) const { return lists_[list]; }

    // All positions of a node's pools.
    std::span<const Position> positions(std::size_t node) const { return positions_[node]; }

    // A pool's place among all pools of the cluster, from 0.
    std::uint32_t ordinal(PoolRef ref) const { return first_ordinal_[ref.node] + ref.pool; }

    // stable_hash() of the pools' keys, by ordinal.
    std::span<const std::uint64_t> hashes() const { return hashes_; }

private:
    struct TextHash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    void add(std::size_t list, PoolRef ref);

    std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> by_model_;
    std::vector<std::vector<PoolRef>> lists_;  // one per kind, then one per name
    std::vector<std::vector<Position>> positions_;
    std::vector<std::uint32_t> first_ordinal_;
    std::vector<std::uint64_t> hashes_;
};

}  // namespace orch::control::view
