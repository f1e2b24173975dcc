#include "auth/live_auth.hpp"

#include <utility>

namespace orch::auth {

LiveAuth::LiveAuth(AuthPolicy policy, std::string outbound)
    : policy_(std::make_shared<const AuthPolicy>(std::move(policy))),
      outbound_(std::move(outbound)) {}

TokenChange LiveAuth::rotate(const Tokens& next, Duration grace, Instant now) {
    auto policy = std::make_shared<AuthPolicy>(*policy_.load());
    TokenChange change = policy->tokens.replace(next.accepted, grace, now);
    const bool of_home_node = policy->home_node_tokens.match(outbound_.text()).has_value();
    policy_.publish(std::move(policy));
    // Accepted first, shown later: what others hear from here on, they may show to this daemon.
    if (!of_home_node) {
        outbound_.set(next.outbound.reveal());
    }
    return change;
}

}  // namespace orch::auth
