#pragma once

#include "base/clock.hpp"
#include "base/rng.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace orch::sim::world {

// Seeded chance in the words of a schedule.
class Chance {
public:
    explicit Chance(std::uint64_t seed) : rng_(seed) {}

    bool yes(double probability) { return rng_.uniform() < probability; }

    std::size_t below(std::size_t bound) { return rng_.below(bound); }

    std::size_t between(std::size_t low, std::size_t high) { return low + below(high - low + 1); }

    Duration between(Duration low, Duration high) {
        return low + Duration(static_cast<Duration::rep>(
                         rng_.below(static_cast<std::uint64_t>((high - low).count()) + 1)
                     ));
    }

    // Of events that come independently of each other, `mean` apart.
    Duration gap(Duration mean) {
        const double drawn = -std::log(1.0 - rng_.uniform());
        return Duration(static_cast<Duration::rep>(drawn * static_cast<double>(mean.count())) + 1);
    }

    double uniform() { return rng_.uniform(); }

    std::uint64_t seed() { return rng_.next(); }

private:
    Rng rng_;
};

}  // namespace orch::sim::world
