#include "auth/token_ring.hpp"

#include <algorithm>
#include <utility>

namespace orch::auth {

std::optional<std::string> TokenRing::match(std::string_view presented, Instant now) const {
    const Sha256Digest digest = sha256(presented);
    bool found = valid_.contains(digest);
    for (const Retired& old : retired_) {
        // Compared whether its time is over or not, so that the time a call takes tells nothing.
        const bool same = constant_time_equal(digest, old.digest);
        found |= same && now < old.until;
    }
    return found ? std::optional(fingerprint(digest)) : std::nullopt;
}

TokenChange TokenRing::replace(TokenSet next, Duration grace, Instant now) {
    TokenChange change;
    std::erase_if(retired_, [&](const Retired& old) {
        return old.until <= now || next.contains(old.digest);
    });
    for (const Sha256Digest& old : valid_.digests()) {
        if (!next.contains(old)) {
            change.removed.push_back(fingerprint(old));
            if (grace > Duration::zero()) {
                retired_.push_back({old, now + grace});
            }
        }
    }
    for (const Sha256Digest& added : next.digests()) {
        if (!valid_.contains(added)) {
            change.added.push_back(fingerprint(added));
        }
    }
    valid_ = std::move(next);
    return change;
}

}  // namespace orch::auth
