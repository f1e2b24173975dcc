#include "base/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <climits>
#include <stdexcept>

namespace orch {
namespace {

void require(bool done, const char* what) {
    if (!done) {
        throw std::runtime_error(std::string("OpenSSL failed in ") + what);
    }
}

std::span<const std::uint8_t> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

struct Sha256::Context {
    EVP_MD_CTX* evp = EVP_MD_CTX_new();

    Context() {
        require(evp != nullptr, "EVP_MD_CTX_new");
        start();
    }

    ~Context() { EVP_MD_CTX_free(evp); }

    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    void start() const {
        require(EVP_DigestInit_ex(evp, EVP_sha256(), nullptr) == 1, "EVP_DigestInit_ex");
    }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
    require(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1, "EVP_DigestUpdate");
}

Sha256Digest Sha256::finish() {
    Sha256Digest digest{};
    require(EVP_DigestFinal_ex(context_->evp, digest.data(), nullptr) == 1, "EVP_DigestFinal_ex");
    context_->start();
    return digest;
}

Sha256Digest sha256(std::string_view bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

std::string sha256_hex(std::string_view bytes) {
    return hex(sha256(bytes));
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view bytes) {
    require(key.size() <= INT_MAX, "HMAC: the key is too long");
    Sha256Digest digest{};
    const auto message = as_bytes(bytes);
    const auto* const made = HMAC(
        EVP_sha256(),
        key.data(),
        static_cast<int>(key.size()),
        message.data(),
        message.size(),
        digest.data(),
        nullptr
    );
    require(made != nullptr, "HMAC");
    return digest;
}

std::string hex(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 0xF]);
    }
    return text;
}

bool constant_time_equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
    return constant_time_equal(as_bytes(a), as_bytes(b));
}

Result<std::string> secure_random(std::size_t count) {
    std::string bytes(count, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(bytes.data());
    if (count > INT_MAX || RAND_bytes(out, static_cast<int>(count)) != 1) {
        return fail(Errc::internal, "the system gave no random bytes");
    }
    return bytes;
}

Result<std::string> secure_random_hex(std::size_t count) {
    auto bytes = secure_random(count);
    if (!bytes) {
        return bytes;
    }
    return hex(as_bytes(*bytes));
}

}  // namespace orch
