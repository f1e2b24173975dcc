#pragma once

#include "base/bytes.hpp"
#include "base/rng.hpp"
#include "control/placement/choice_ledger.hpp"
#include "control/placement/ranking.hpp"
#include "control/placement/session_affinity.hpp"
#include "control/view/cluster_view.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

// The strategies' orders for one pass over many pools; rank() has them for few. Each is shown the
// pools in order of their keys and keeps what it needs of the best so far: keys end every tie.
// draw() comes once for every pool that may serve the request, then seen() for those that count
// (suspects do not while others are there), then better() for those that can be claimed; forget()
// comes when those before do not count any more. Inlined into quick_scan.cpp.
namespace orch::control::placement {

// As Candidate's busy slots of all slots.
inline double load_of(const view::ListedPool& pool) {
    if (pool.slots_total == 0) {
        return 1.0;
    }
    const std::uint32_t capacity = std::min(pool.cell->capacity(), pool.slots_total);
    const std::uint32_t busy = pool.cell->claimed() + (pool.slots_total - capacity);
    return static_cast<double>(busy) / pool.slots_total;
}

// When pools were last chosen: from the row of the ledger if it knows the view, else one by one.
class LastChosen {
public:
    LastChosen(const ChoiceLedger& ledger, const view::ClusterView& view)
        : ledger_(ledger), row_(ledger.by_ordinal(view)) {}

    std::uint64_t operator()(const view::ListedPool& pool) const {
        return row_.empty() ? ledger_.last_chosen(*pool.cell) : row_[pool.ordinal];
    }

private:
    const ChoiceLedger& ledger_;
    std::span<const std::uint64_t> row_;
};

struct QuickOrder {
    void draw() {}
    void seen(std::size_t) {}
};

class LeastLoaded : public QuickOrder {
public:
    bool better(const view::ListedPool& pool) {
        const double load = load_of(pool);
        return load < load_ && (load_ = load, true);
    }

    void forget() { load_ = std::numeric_limits<double>::infinity(); }

private:
    double load_ = std::numeric_limits<double>::infinity();
};

class Automatic : public QuickOrder {
public:
    explicit Automatic(LastChosen last) : last_of_(last) {}

    bool better(const view::ListedPool& pool) {
        const double load = load_of(pool);
        if (load > load_ || (load == load_ && pool.free_gib < free_gib_)) {
            return false;
        }
        const std::uint64_t last = last_of_(pool);
        if (load == load_ && pool.free_gib == free_gib_ && last >= last_) {
            return false;
        }
        load_ = load;
        free_gib_ = pool.free_gib;
        last_ = last;
        return true;
    }

    void forget() { load_ = std::numeric_limits<double>::infinity(); }

private:
    LastChosen last_of_;
    double load_ = std::numeric_limits<double>::infinity();
    Bytes free_gib_ = 0;
    std::uint64_t last_ = 0;
};

class MostFreeVram : public QuickOrder {
public:
    explicit MostFreeVram(LastChosen last) : last_of_(last) {}

    bool better(const view::ListedPool& pool) {
        if (any_ && pool.free_gib < free_gib_) {
            return false;
        }
        const double load = load_of(pool);
        const bool level = any_ && pool.free_gib == free_gib_;
        if (level && load > load_) {
            return false;
        }
        const std::uint64_t last = last_of_(pool);
        if (level && load == load_ && last >= last_) {
            return false;
        }
        any_ = true;
        free_gib_ = pool.free_gib;
        load_ = load;
        last_ = last;
        return true;
    }

    void forget() { any_ = false; }

private:
    LastChosen last_of_;
    bool any_ = false;
    Bytes free_gib_ = 0;
    double load_ = 0;
    std::uint64_t last_ = 0;
};

class RoundRobin : public QuickOrder {
public:
    explicit RoundRobin(LastChosen last) : last_of_(last) {}

    bool better(const view::ListedPool& pool) {
        const std::uint64_t last = last_of_(pool);
        return last < last_ && (last_ = last, true);
    }

    void forget() { last_ = std::numeric_limits<std::uint64_t>::max(); }

private:
    LastChosen last_of_;
    std::uint64_t last_ = std::numeric_limits<std::uint64_t>::max();
};

class ByLot : public QuickOrder {
public:
    explicit ByLot(std::uint64_t chance) : lots_(chance) {}

    void draw() { lot_ = lots_.next(); }

    void seen(std::size_t at) {
        if (first_ == kNobody || lot_ < first_lot_) {
            second_ = std::exchange(first_, at);
            second_lot_ = std::exchange(first_lot_, lot_);
        } else if (second_ == kNobody || lot_ < second_lot_) {
            second_ = at;
            second_lot_ = lot_;
        }
    }

    bool better(const view::ListedPool&) {
        const bool wins = !any_ || lot_ < best_;
        any_ = true;
        best_ = wins ? lot_ : best_;
        return wins;
    }

    void forget() {
        any_ = false;
        first_ = second_ = kNobody;
    }

    // The pools with the two lowest lots, whether they can be claimed or not.
    std::size_t first() const { return first_; }

    std::size_t second() const { return second_; }

    static constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();

private:
    Rng lots_;
    std::uint64_t lot_ = 0;
    std::uint64_t best_ = 0;
    bool any_ = false;
    std::size_t first_ = kNobody;
    std::uint64_t first_lot_ = 0;
    std::size_t second_ = kNobody;
    std::uint64_t second_lot_ = 0;
};

// Before all that Automatic looks at, the session's home.
class Homeward : public QuickOrder {
public:
    Homeward(const view::ClusterView& view, const std::string& session, LastChosen last)
        : hashes_(view.shape()->hashes()), session_(session), then_(last) {}

    bool better(const view::ListedPool& pool) {
        const std::uint64_t lot = session_.lot(hashes_[pool.ordinal]);
        if (any_ && pool.slots_total == slots_ && lot < lot_ &&
            lot_ - lot > SessionAffinity::kSurelyMore) {
            return false;
        }
        const std::uint64_t key = affinity_key(SessionAffinity::of_lot(lot, pool.slots_total));
        if (any_ && key > key_) {
            return false;
        }
        if (!any_ || key < key_) {
            then_.forget();
        }
        if (!then_.better(pool)) {
            return false;
        }
        any_ = true;
        slots_ = pool.slots_total;
        lot_ = lot;
        key_ = key;
        return true;
    }

    void forget() { any_ = false; }

private:
    std::span<const std::uint64_t> hashes_;
    SessionAffinity session_;
    Automatic then_;
    bool any_ = false;
    std::uint32_t slots_ = 0;
    std::uint64_t lot_ = 0;
    std::uint64_t key_ = 0;
};

}  // namespace orch::control::placement
