#include "net/auth_middleware.hpp"

#include "net/edge.hpp"

#include <utility>

namespace orch::net {
namespace {

auth::RequestAuth facts_of(Exchange& exchange) {
    const RequestHead& head = exchange.head();
    auth::RequestAuth facts;
    facts.authorization = head.headers.find("Authorization");
    facts.api_key = head.headers.find("X-Api-Key");
    facts.host = head.headers.find("Host");
    facts.origin = head.headers.find("Origin");
    facts.peer_is_loopback = exchange.peer_is_loopback();
    facts.now = exchange.edge().clock().now();
    facts.auth_class =
        exchange.route() != nullptr ? exchange.route()->auth : auth::AuthClass::client;
    if (head.method == Method::options) {
        facts.auth_class = auth::AuthClass::exempt;  // browsers send pre-flights without a token
    }
    return facts;
}

}  // namespace

Middleware auth_middleware(const auth::LiveAuth& live) {
    return {
        .name = "auth",
        .reason = "before anything is read of a body: strangers cost a head and no more",
        .check = [&live](Exchange& exchange) -> Result<void> {
            auto principal = auth::decide(*live.policy(), facts_of(exchange));
            if (!principal) {
                return std::unexpected(principal.error());
            }
            const bool of_home = principal->kind == auth::PrincipalKind::home_node;
            if (exchange.home_only() && !of_home) {
                return fail(Errc::forbidden, "this address is private to the node of this machine");
            }
            exchange.set_identity(std::move(principal->identity));
            return {};
        },
    };
}

}  // namespace orch::net
