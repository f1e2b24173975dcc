#include "apps/llorch/health_view.hpp"

#include "apps/llorch/printable.hpp"
#include "base/json.hpp"

#include <fmt/format.h>

namespace orch::llorch {

Result<HealthBody> parse_health(std::string_view text) {
    auto health = json::decode<HealthBody>(text);
    if (health && health->status.empty()) {
        return fail(Errc::invalid_params, "status: is missing");
    }
    return health;
}

std::string health_text(const HealthBody& health) {
    return fmt::format(
        "{}: version {}, nodes online: {}, pools ready: {}\n",
        printable(health.status),
        printable(health.version),
        health.nodes_online,
        health.pools_ready
    );
}

}  // namespace orch::llorch
