#pragma once

#include "base/digest.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Bearer tokens. A token's text stays in a Secret; everything else keeps its digest, and every
// message its fp6 at most.
namespace orch::auth {

// Text that must not reach a log, an answer or a file by accident: reading it takes reveal().
class Secret {
public:
    Secret() = default;

    explicit Secret(std::string text) : text_(std::move(text)) {}

    const std::string& reveal() const { return text_; }

    bool empty() const { return text_.empty(); }

private:
    std::string text_;
};

// The first 6 hex digits of a token's SHA-256: names it where it may not be shown.
std::string fp6(std::string_view token);

// The same of a digest.
std::string fingerprint(const Sha256Digest& digest);

// The tokens that are valid now, as digests.
class TokenSet {
public:
    // Adding one again changes nothing.
    void add(std::string_view token);
    void add_all(const TokenSet& other);

    // The fp6 of the token that was presented, if it is one of the set. Compares with every token
    // in constant time, so the time tells nothing about where a match is.
    std::optional<std::string> match(std::string_view presented) const;

    // Whether a token of this digest is in the set; looks at every digest whole.
    bool contains(const Sha256Digest& digest) const;

    bool empty() const { return digests_.empty(); }

    const std::vector<Sha256Digest>& digests() const { return digests_; }

    std::vector<std::string> fingerprints() const;

private:
    std::vector<Sha256Digest> digests_;
};

// What a token setting says.
struct Tokens {
    TokenSet accepted;
    Secret outbound;                    // the first one: what a daemon sends when it calls another
    std::vector<std::string> warnings;  // a sentence per token that is shorter than it should be
};

inline constexpr std::size_t kShortestToken = 8;      // shorter ones are refused
inline constexpr std::size_t kRecommendedToken = 16;  // shorter ones are warned about

// "first,second". `origin` names the setting in messages. Errors: invalid_params, for a token that
// is too short or cannot be sent in a header, or for a list without any.
Result<Tokens> parse_token_list(std::string_view text, std::string_view origin);

// One token a line; blank lines and lines that begin with # do not count. `path` names the file in
// messages. Errors as above.
Result<Tokens> parse_token_file(std::string_view text, std::string_view path);

// Takes in the tokens of a second source; the first source's outbound token stays, if it has one.
void merge(Tokens& into, Tokens more);

}  // namespace orch::auth
