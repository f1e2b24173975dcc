#include "control/placement/quick_scan.hpp"

#include "control/placement/quick_orders.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace orch::control::placement {
namespace {

using view::ListedPool;
using view::PoolRef;

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

// The pools that serve a model, as references and as figures.
struct Pools {
    std::span<const PoolRef> refs;
    std::span<const ListedPool> figures;
};

Pools pools_in_question(const view::ClusterView& view, const PlacementRequest& request) {
    if (request.names_model()) {
        return {view.find_model(*request.model), view.list_model(*request.model)};
    }
    return {view.pools_of(request.kind), view.list_kind(request.kind)};
}

std::vector<const LoadCell*> cells_of(
    const view::ClusterView& view, const std::vector<PoolKey>& keys
) {
    std::vector<const LoadCell*> cells;
    for (const PoolKey& key : keys) {
        if (const view::PoolBlock* const pool = view.find_pool(key)) {
            cells.push_back(pool->cell.get());
        }
    }
    return cells;
}

// One pass with one order.
class Pass {
public:
    Pass(std::span<const ListedPool> pools, Instant now, bool past_waiters)
        : pools_(pools), now_(now), past_waiters_(past_waiters) {}

    template <class Order>
    void run(Order& order, std::span<const LoadCell* const> excluded) {
        for (std::size_t i = 0; i < pools_.size(); ++i) {
            if (!pools_[i].open) {
                continue;
            }
            if (!excluded.empty() &&
                std::ranges::find(excluded, pools_[i].cell) != excluded.end()) {
                ++found.excluded;
                continue;
            }
            ++found.open;
            order.draw();
            look_at(order, i);
        }
    }

    Seen look(std::size_t at) const { return {pools_[at], pools_[at].cell->figures()}; }

    bool claimable(const Seen& seen) const {
        return past_waiters_ ? seen.figures.claimable_for_waiter() : seen.figures.claimable();
    }

    QuickScan found;
    std::size_t best = kNone;

private:
    template <class Order>
    void look_at(Order& order, std::size_t at) {
        if (pools_[at].cell->suspect(now_)) {
            if (trusted_) {
                return;
            }
        } else if (!trusted_) {
            trusted_ = true;
            best = kNone;
            order.forget();
        }
        order.seen(at);
        const Seen seen = look(at);
        if (claimable(seen) && order.better(seen)) {
            best = at;
        }
    }

    std::span<const ListedPool> pools_;
    Instant now_;
    bool past_waiters_;
    bool trusted_ = false;  // one was seen that is not suspect: suspects do not count any more
};

// As prefer_less_loaded_of_two(): of the two lowest lots, the second may stand first.
void take_less_loaded(Pass& pass, const ByLot& lots) {
    if (pass.best == kNone || pass.best != lots.first() || lots.second() == ByLot::kNobody) {
        return;
    }
    const Seen second = pass.look(lots.second());
    if (pass.claimable(second) && load_of(second) < load_of(pass.look(lots.first()))) {
        pass.best = lots.second();
    }
}

}  // namespace

bool can_scan_quickly(const PlacementRequest& request, const PlacementPolicy& policy) {
    return request.asks_only_for_model() && policy.spread_by.empty();
}

QuickScan quick_scan(
    const view::ClusterView& view,
    const PlacementRequest& request,
    const PlacementPolicy& policy,
    const ChoiceLedger& ledger,
    Instant now,
    bool past_waiters
) {
    const Pools pools = pools_in_question(view, request);
    const std::vector<const LoadCell*> excluded = cells_of(view, request.exclude);
    const LastChosen last(ledger, view);
    Pass pass(pools.figures, now, past_waiters);
    const auto run = [&](auto order) { pass.run(order, excluded); };
    switch (policy.strategy) {
        case Strategy::automatic:
            if (request.session.empty()) {
                run(Automatic(last));
            } else {
                run(Homeward(view, request.session, last));
            }
            break;
        case Strategy::least_loaded:
            run(LeastLoaded());
            break;
        case Strategy::most_free_vram:
            run(MostFreeVram(last));
            break;
        case Strategy::round_robin:
            run(RoundRobin(last));
            break;
        case Strategy::random:
            run(ByLot(ledger.chance()));
            break;
        case Strategy::power_of_two: {
            ByLot lots(ledger.chance());
            pass.run(lots, excluded);
            take_less_loaded(pass, lots);
            break;
        }
    }
    pass.found.looked_at = static_cast<std::uint32_t>(pools.refs.size());
    if (pass.best != kNone) {
        pass.found.best = pools.refs[pass.best];
    }
    return pass.found;
}

}  // namespace orch::control::placement
