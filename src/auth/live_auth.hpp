#pragma once

#include "auth/auth_policy.hpp"
#include "base/published.hpp"

#include <memory>
#include <string>

namespace orch::auth {

// The token that a daemon shows when it calls another; rotation replaces it.
class OutboundToken {
public:
    explicit OutboundToken(std::string text = {})
        : text_(std::make_shared<const Secret>(std::move(text))) {}

    // Empty: none is sent. Any thread.
    std::string text() const { return text_.load()->reveal(); }

    void set(std::string text) { text_.publish(std::make_shared<const Secret>(std::move(text))); }

private:
    Published<Secret> text_;
};

// Who may call a daemon and what it shows to others, replaceable while it serves. Any thread reads;
// one at a time rotates.
class LiveAuth {
public:
    // A token of the node in the same process is never replaced as the outbound one.
    LiveAuth(AuthPolicy policy, std::string outbound);

    std::shared_ptr<const AuthPolicy> policy() const { return policy_.load(); }

    const OutboundToken& outbound() const { return outbound_; }

    // Takes the tokens of a list or file that was read again. Requires: there are some.
    TokenChange rotate(const Tokens& next, Duration grace, Instant now);

private:
    Published<AuthPolicy> policy_;
    OutboundToken outbound_;
};

}  // namespace orch::auth
