#include "base/rng.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <random>

namespace orch {

std::uint64_t Rng::next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

std::uint64_t Rng::below(std::uint64_t bound) {
    return bound == 0 ? 0 : next() % bound;
}

double Rng::uniform() {
    return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::uint64_t system_seed() {
    std::uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) {
        std::random_device device;
        seed = (static_cast<std::uint64_t>(device()) << 32) | device();
    }
    return seed;
}

std::string make_uuid(Rng& rng) {
    const std::uint64_t high = (rng.next() & ~0xF000ULL) | 0x4000ULL;
    const std::uint64_t low = (rng.next() & ~(0xC0ULL << 56)) | (0x80ULL << 56);
    return fmt::format(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xFFFF,
        high & 0xFFFF,
        low >> 48,
        low & 0xFFFFFFFFFFFFULL
    );
}

}  // namespace orch
