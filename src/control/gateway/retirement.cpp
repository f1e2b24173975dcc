#include "control/gateway/retirement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace orch::control::gateway {
namespace {

std::unexpected<Error> gone(const std::string& what) {
    return fail(Errc::model_deprecated, fmt::format("model: {} is retired", what));
}

}  // namespace

Result<void> leave_out_retired(
    const view::ClusterView& view,
    const view::RetiredModels& retired,
    placement::PlacementRequest& request
) {
    if (retired.empty()) {
        return {};
    }
    const bool named = request.names_model();
    if (named && retired.contains(*request.model)) {
        return gone(fmt::format("'{}'", *request.model));
    }
    const auto refs = named ? view.find_model(*request.model) : view.pools_of(request.kind);
    std::size_t left_out = 0;
    for (const view::PoolRef ref : refs) {
        const view::PoolBlock& pool = view.pool(ref);
        if (retired.contains(pool.served_name)) {
            request.avoid.push_back({pool.key.node, pool.key.pool});
            ++left_out;
        }
    }
    if (left_out == 0 || left_out < refs.size()) {
        return {};
    }
    return named ? gone(fmt::format("what '{}' stands for", *request.model))
                 : gone(fmt::format("every {} model", to_string(request.kind)));
}

}  // namespace orch::control::gateway
