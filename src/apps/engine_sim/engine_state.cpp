#include "apps/engine_sim/engine_state.hpp"

namespace orch::engine_sim {

Task<void> Alarm::wait_until(Instant when) {
    timer_.expires_at(when);
    co_await timer_.async_wait(use_tuple);
}

EngineState::EngineState(const SimOptions& from, async::AsyncClock& time, std::uint64_t seed)
    : options(from),
      clock(time),
      rng(seed),
      slots(from.slots),
      loaded_at(time.now() + std::chrono::milliseconds(from.load_ms)),
      last_result(time.now()) {}

std::string EngineState::random_id() {
    constexpr std::string_view kDigits =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    constexpr int kLength = 32;
    std::string id;
    for (int i = 0; i < kLength; ++i) {
        id += kDigits[rng.below(kDigits.size())];
    }
    return id;
}

}  // namespace orch::engine_sim
