#include "apps/llorch/models_view.hpp"

#include "apps/llorch/figures.hpp"
#include "apps/llorch/printable.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

namespace orch::llorch {
namespace {

std::string aliases_of(const std::string& model, const api::PoolList& pools) {
    std::set<std::string> names;
    for (const api::PoolInfo& pool : pools.pools) {
        if (pool.served_name == model) {
            names.insert(pool.models_available.begin(), pool.models_available.end());
        }
    }
    names.erase(model);
    return list_text(std::vector<std::string>(names.begin(), names.end()));
}

Row row_of(const api::ModelEntry& model, const std::optional<api::PoolList>& pools) {
    const Tone tone = model.llorch.ready_pools == 0 ? Tone::bad : Tone::plain;
    Row row;
    row.cells = {
        {printable(model.id)},
        {fmt::format("{}", model.llorch.ready_pools), tone},
        {fmt::format("{}", model.llorch.nodes)},
        {number_text(model.llorch.ctx)},
    };
    if (pools) {
        row.cells.push_back({aliases_of(model.id, *pools)});
    }
    return row;
}

}  // namespace

std::string models_text(
    const api::ModelList& list, const std::optional<api::PoolList>& pools, const TextStyle& style
) {
    if (list.data.empty()) {
        return "No online node serves a model.\n";
    }
    Table table;
    table.columns = {
        {"MODEL"},
        {"READY POOLS", Align::right},
        {"NODES", Align::right},
        {"CTX", Align::right},
    };
    if (pools) {
        table.columns.push_back({"ALIASES", Align::left, true});
    }
    for (const api::ModelEntry& model : list.data) {
        table.rows.push_back(row_of(model, pools));
    }
    return render(table, style);
}

}  // namespace orch::llorch
