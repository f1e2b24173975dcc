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

// A pool at the moment it is looked at.
struct Seen {
    const view::ListedPool& pool;
    LoadCell::Figures figures;
};

// Busy slots of all slots, as Candidate has them; compared without dividing.
struct Load {
    std::uint64_t busy = 1;
    std::uint64_t slots = 0;  // 0: above every load

    friend bool operator==(Load a, Load b) { return a.busy * b.slots == b.busy * a.slots; }

    friend bool operator<(Load a, Load b) { return a.busy * b.slots < b.busy * a.slots; }
};

inline Load load_of(const Seen& seen) {
    const std::uint32_t slots = seen.pool.slots_total;
    if (slots == 0) {
        return {1, 1};
    }
    return {seen.figures.claimed + (slots - std::min(seen.figures.capacity, slots)), slots};
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
    bool better(const Seen& seen) {
        const Load load = load_of(seen);
        return load < load_ && (load_ = load, true);
    }

    void forget() { load_ = {}; }

private:
    Load load_;
};

class Automatic : public QuickOrder {
public:
    explicit Automatic(LastChosen last) : last_of_(last) {}

    bool better(const Seen& seen) {
        const Load load = load_of(seen);
        if (load_ < load || (load == load_ && seen.pool.free_gib < free_gib_)) {
            return false;
        }
        const std::uint64_t last = last_of_(seen.pool);
        if (load == load_ && seen.pool.free_gib == free_gib_ && last >= last_) {
            return false;
        }
        load_ = load;
        free_gib_ = seen.pool.free_gib;
        last_ = last;
        return true;
    }

    void forget() { load_ = {}; }

private:
    LastChosen last_of_;
    Load load_;
    Bytes free_gib_ = 0;
    std::uint64_t last_ = 0;
};

class MostFreeVram : public QuickOrder {
public:
    explicit MostFreeVram(LastChosen last) : last_of_(last) {}

    bool better(const Seen& seen) {
        if (any_ && seen.pool.free_gib < free_gib_) {
            return false;
        }
        const Load load = load_of(seen);
        const bool level = any_ && seen.pool.free_gib == free_gib_;
        if (level && load_ < load) {
            return false;
        }
        const std::uint64_t last = last_of_(seen.pool);
        if (level && load == load_ && last >= last_) {
            return false;
        }
        any_ = true;
        free_gib_ = seen.pool.free_gib;
        load_ = load;
        last_ = last;
        return true;
    }

    void forget() { any_ = false; }

private:
    LastChosen last_of_;
    bool any_ = false;
    Bytes free_gib_ = 0;
    Load load_;
    std::uint64_t last_ = 0;
};

class RoundRobin : public QuickOrder {
public:
    explicit RoundRobin(LastChosen last) : last_of_(last) {}

    bool better(const Seen& seen) {
        const std::uint64_t last = last_of_(seen.pool);
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

    bool better(const Seen&) {
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

    bool better(const Seen& seen) {
        const std::uint64_t lot = session_.lot(hashes_[seen.pool.ordinal]);
        if (any_ && seen.pool.slots_total == slots_ && lot < lot_ &&
            lot_ - lot > SessionAffinity::kSurelyMore) {
            return false;
        }
        const std::uint64_t key = affinity_key(SessionAffinity::of_lot(lot, seen.pool.slots_total));
        if (any_ && key > key_) {
            return false;
        }
        if (!any_ || key < key_) {
            then_.forget();
        }
        if (!then_.better(seen)) {
            return false;
        }
        any_ = true;
        slots_ = seen.pool.slots_total;
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
