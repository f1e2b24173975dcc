#pragma once

#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// SHA-256, HMAC-SHA-256, constant-time comparison and secret randomness, all by OpenSSL.
// Stateless functions, any thread. Hashing cannot fail for any input: an OpenSSL without SHA-256 is
// a broken installation and throws std::runtime_error.
namespace orch {

using Sha256Digest = std::array<std::uint8_t, 32>;

// Hashes a stream piece by piece. One owner at a time.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::string_view bytes);

    // The digest of everything so far; the object then starts anew.
    Sha256Digest finish();

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

Sha256Digest sha256(std::string_view bytes);

// 64 lower case hex digits.
std::string sha256_hex(std::string_view bytes);

Sha256Digest hmac_sha256(std::string_view key, std::string_view bytes);

// Lower case, two digits a byte.
std::string hex(std::span<const std::uint8_t> bytes);

// Takes the same time wherever the two differ; the time does tell whether the lengths are equal.
bool constant_time_equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);
bool constant_time_equal(std::string_view a, std::string_view b);

// `count` bytes fit for keys and tokens. Errors: internal, when the system has no entropy to give.
Result<std::string> secure_random(std::size_t count);

// The same in hex: 2 * `count` characters.
Result<std::string> secure_random_hex(std::size_t count);

}  // namespace orch
