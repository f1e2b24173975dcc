#pragma once

#include "base/enums.hpp"
#include "control/view/node_block.hpp"

#include <array>
#include <cstdint>
#include <functional>
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

// From model names to the pools that list them, on nodes in any state.
// Immutable once built; shared by all views whose nodes have the same shape; any thread.
class ModelIndex {
public:
    ModelIndex() = default;
    explicit ModelIndex(std::span<const NodeBlockPtr> nodes);

    std::span<const PoolRef> find(std::string_view model) const;
    std::span<const PoolRef> of_kind(ModelKind kind) const;

private:
    struct TextHash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    std::unordered_map<std::string, std::vector<PoolRef>, TextHash, std::equal_to<>> by_model_;
    std::array<std::vector<PoolRef>, 3> by_kind_;
};

}  // namespace orch::control::view
