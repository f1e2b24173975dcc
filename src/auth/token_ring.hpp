#pragma once

#include "auth/tokens.hpp"
#include "base/clock.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orch::auth {

// What a rotation did, as fp6 of the tokens: for the log and the audit.
struct TokenChange {
    std::vector<std::string> added;
    std::vector<std::string> removed;

    bool empty() const { return added.empty() && removed.empty(); }
};

// The tokens that are valid now and those that were removed lately. A value; pure, time comes in.
//
//   not known --add--> valid --removed--> in grace --grace is over--> refused
//                        ^                    |
//                        +----added again-----+
class TokenRing {
public:
    TokenRing() = default;

    explicit TokenRing(TokenSet valid) : valid_(std::move(valid)) {}

    void add(std::string_view token) { valid_.add(token); }

    // The fp6 of the token that was presented, if it is valid or still in its grace. Compares with
    // every token in constant time.
    std::optional<std::string> match(std::string_view presented, Instant now) const;

    // From now on `next` is valid; what is missing in it stays valid for `grace`.
    TokenChange replace(TokenSet next, Duration grace, Instant now);

    bool empty() const { return valid_.empty(); }

    std::vector<std::string> fingerprints() const { return valid_.fingerprints(); }

    // Removed tokens that are kept; those whose grace is over go with the next replace().
    std::size_t retired() const { return retired_.size(); }

private:
    struct Retired {
        Sha256Digest digest;
        Instant until;
    };

    TokenSet valid_;
    std::vector<Retired> retired_;
};

}  // namespace orch::auth
