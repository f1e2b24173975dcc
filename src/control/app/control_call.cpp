#include "control/app/control_call.hpp"

namespace orch::control::app {

Result<void> refuse_strangers_at_home(const RouteContext& context, const net::Exchange& exchange) {
    if (context.profile == Profile::home && exchange.identity() != "home-node") {
        return fail(
            Errc::cloud_profile_disabled,
            "nodes cannot join: start orchestratord with ORCHESTRATORD_CLOUD_PROFILE=true"
        );
    }
    return {};
}

}  // namespace orch::control::app
