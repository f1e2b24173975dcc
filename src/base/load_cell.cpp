#include "base/load_cell.hpp"

#include <algorithm>

namespace orch {
namespace {

constexpr std::uint64_t kOneWaiter = 1ULL << 32;
constexpr std::uint64_t kClaimedMask = kOneWaiter - 1;
constexpr std::uint32_t kTrial = 1U << 31U;  // beside the failures: a trial is under way

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
    if (!tripped()) {
        suspect_until_.store(0);
    }
}

void LoadCell::note_failure(Instant now) {
    const std::uint32_t before = failures_.load();
    const bool trial = (before & kTrial) != 0;
    if (tripped() && !trial && suspect(now)) {
        return;  // it was under way when the circuit opened
    }
    const std::uint32_t failures = (before & ~kTrial) + 1;
    failures_.store(failures);
    if (failures >= kTripAfter) {
        constexpr std::uint32_t kMostDoublings = 4;  // further ones are above kLongestPause anyway
        const std::uint32_t doublings = std::min(failures - kTripAfter, kMostDoublings);
        suspect_until(now + std::min(kFirstPause * (1U << doublings), kLongestPause));
    }
}

void LoadCell::note_success() {
    failures_.store(0);
    suspect_until_.store(0);
}

void LoadCell::claimed_at(Instant now) {
    std::int64_t until = suspect_until_.load();
    if (tripped() && until <= now.time_since_epoch().count()) {
        const Instant end = now + kTrialLimit;
        if (suspect_until_.compare_exchange_strong(until, end.time_since_epoch().count())) {
            failures_.fetch_or(kTrial);
        }
    }
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
