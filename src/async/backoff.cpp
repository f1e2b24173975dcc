#include "async/backoff.hpp"

#include <algorithm>

namespace orch::async {

Duration Backoff::next() {
    Duration delay = config_.initial;
    for (unsigned i = 0; i < failures_ && delay < config_.maximum; ++i) {
        delay *= 2;
    }
    ++failures_;
    const double factor = 1.0 + config_.jitter * (2.0 * rng_.uniform() - 1.0);
    const auto moved = static_cast<Duration::rep>(static_cast<double>(delay.count()) * factor);
    return std::min(Duration(moved), config_.maximum);
}

}  // namespace orch::async
