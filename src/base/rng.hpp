#pragma once

#include <cstdint>
#include <string>

namespace orch {

// Seeded randomness (SplitMix64): jitter, choices and ids that need not be secret.
// Same seed, same sequence. One owner thread. Secrets come from secure_random() in digest.hpp.
class Rng {
public:
    explicit Rng(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next();
    std::uint64_t below(std::uint64_t bound);  // [0, bound); 0 for bound 0
    double uniform();                          // [0, 1)

private:
    std::uint64_t state_;
};

// A seed from the operating system.
std::uint64_t system_seed();

// A version 4 UUID in lower case.
std::string make_uuid(Rng& rng);

}  // namespace orch
