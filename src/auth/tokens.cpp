#include "auth/tokens.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace orch::auth {
namespace {

constexpr std::size_t kFingerprintLength = 6;

bool can_be_sent(std::string_view token) {
    return std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7F && c != ','; });
}

// `place` says where the token stands: the text of a refused one is never shown.
Result<void> take(Tokens& tokens, std::string_view token, const std::string& place) {
    if (!can_be_sent(token)) {
        return fail(
            Errc::invalid_params,
            fmt::format("{}: a token is printable ASCII without blanks and commas", place)
        );
    }
    if (token.size() < kShortestToken) {
        return fail(
            Errc::invalid_params,
            fmt::format(
                "{}: the token has {} characters; it needs {} at least, and {} to be safe "
                "(`llorch token new` makes one)",
                place,
                token.size(),
                kShortestToken,
                kRecommendedToken
            )
        );
    }
    if (token.size() < kRecommendedToken) {
        tokens.warnings.push_back(fmt::format(
            "{}: token {} has only {} characters; use {} or more (`llorch token new` makes one)",
            place,
            fp6(token),
            token.size(),
            kRecommendedToken
        ));
    }
    if (tokens.outbound.empty()) {
        tokens.outbound = Secret(std::string(token));
    }
    tokens.accepted.add(token);
    return {};
}

Result<Tokens> complete(Tokens tokens, std::string_view origin) {
    if (tokens.accepted.empty()) {
        return fail(Errc::invalid_params, fmt::format("{}: there is no token in it", origin));
    }
    return tokens;
}

}  // namespace

std::string fingerprint(const Sha256Digest& digest) {
    return hex(digest).substr(0, kFingerprintLength);
}

std::string fp6(std::string_view token) {
    return fingerprint(sha256(token));
}

void TokenSet::add(std::string_view token) {
    const Sha256Digest digest = sha256(token);
    if (std::ranges::find(digests_, digest) == digests_.end()) {
        digests_.push_back(digest);
    }
}

void TokenSet::add_all(const TokenSet& other) {
    for (const Sha256Digest& digest : other.digests_) {
        if (std::ranges::find(digests_, digest) == digests_.end()) {
            digests_.push_back(digest);
        }
    }
}

std::optional<std::string> TokenSet::match(std::string_view presented) const {
    const Sha256Digest digest = sha256(presented);
    return contains(digest) ? std::optional(fingerprint(digest)) : std::nullopt;
}

bool TokenSet::contains(const Sha256Digest& digest) const {
    bool found = false;
    for (const Sha256Digest& valid : digests_) {
        found |= constant_time_equal(digest, valid);
    }
    return found;
}

std::vector<std::string> TokenSet::fingerprints() const {
    std::vector<std::string> all;
    for (const Sha256Digest& digest : digests_) {
        all.push_back(fingerprint(digest));
    }
    return all;
}

Result<Tokens> parse_token_list(std::string_view text, std::string_view origin) {
    Tokens tokens;
    std::size_t position = 0;
    for (const std::string_view token : split(text, ',')) {
        ++position;
        if (token.empty()) {
            continue;
        }
        const auto place = fmt::format("{} (token {})", origin, position);
        if (auto taken = take(tokens, token, place); !taken) {
            return std::unexpected(taken.error());
        }
    }
    return complete(std::move(tokens), origin);
}

Result<Tokens> parse_token_file(std::string_view text, std::string_view path) {
    Tokens tokens;
    std::size_t line = 0;
    for (const std::string_view token : split(text, '\n')) {
        ++line;
        if (token.empty() || token.starts_with('#')) {
            continue;
        }
        if (auto taken = take(tokens, token, fmt::format("{}:{}", path, line)); !taken) {
            return std::unexpected(taken.error());
        }
    }
    return complete(std::move(tokens), path);
}

void merge(Tokens& into, Tokens more) {
    into.accepted.add_all(more.accepted);
    if (into.outbound.empty()) {
        into.outbound = std::move(more.outbound);
    }
    std::ranges::move(more.warnings, std::back_inserter(into.warnings));
}

}  // namespace orch::auth
