#include "base/load_cell.hpp"

#include <algorithm>

namespace orch {
namespace {

constexpr std::uint64_t kOneWaiter = 1ULL << 32;
constexpr std::uint64_t kClaimedMask = kOneWaiter - 1;

}  // namespace

LoadCell::LoadCell(std::uint32_t capacity, std::uint32_t waiters)
    : word_(waiters * kOneWaiter), capacity_(capacity) {}

bool LoadCell::claim_if(bool even_with_waiters) {
    std::uint64_t seen = word_.load();
    for (;;) {
        const bool blocked = !even_with_waiters && seen >= kOneWaiter;
        if (blocked || (seen & kClaimedMask) >= capacity_.load()) {
            return false;
        }
        if (word_.compare_exchange_weak(seen, seen + 1)) {
            return true;
        }
    }
}

bool LoadCell::try_claim() {
    return claim_if(false);
}

bool LoadCell::claim_for_waiter() {
    return claim_if(true);
}

bool LoadCell::release() {
    std::uint64_t seen = word_.load();
    while ((seen & kClaimedMask) != 0) {
        if (word_.compare_exchange_weak(seen, seen - 1)) {
            break;
        }
    }
    return seen >= kOneWaiter;
}

void LoadCell::add_waiter() {
    word_.fetch_add(kOneWaiter);
}

void LoadCell::remove_waiter() {
    std::uint64_t seen = word_.load();
    while (seen >= kOneWaiter && !word_.compare_exchange_weak(seen, seen - kOneWaiter)) {
    }
}

void LoadCell::set_capacity(std::uint32_t capacity) {
    capacity_.store(capacity);
}

void LoadCell::suspect_until(Instant until) {
    suspect_until_.store(until.time_since_epoch().count());
}

void LoadCell::clear_suspicion() {
    suspect_until_.store(0);
}

void LoadCell::note_service(Duration held) {
    constexpr std::int64_t kWeight = 8;
    const std::int64_t before = mean_service_.load(std::memory_order_relaxed);
    const std::int64_t now =
        before == 0 ? held.count() : before + (held.count() - before) / kWeight;
    mean_service_.store(std::max<std::int64_t>(now, 1), std::memory_order_relaxed);
}

Duration LoadCell::mean_service() const {
    return Duration(mean_service_.load(std::memory_order_relaxed));
}

}  // namespace orch
