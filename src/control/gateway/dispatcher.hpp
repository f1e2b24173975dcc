#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "control/admission/priority.hpp"
#include "control/admission/wait_queue.hpp"
#include "control/gateway/gateway_config.hpp"
#include "control/gateway/start_estimate.hpp"
#include "control/gateway/waiting_line.hpp"
#include "control/placement/choice_ledger.hpp"
#include "control/placement/placement_policy.hpp"
#include "control/placement/placement_request.hpp"
#include "control/placement/slot_choice.hpp"
#include "control/view/cluster_view.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace orch::control::gateway {

// What a request asks of the queue.
struct Bid {
    placement::PlacementRequest request;  // its `exclude`: pools it may never have
    std::vector<PoolKey> refused{};       // pools not to be offered in this round
    // When it first waited, if it was granted a slot before and the node refused it: it gets its
    // old place back, whatever the capacity.
    std::optional<Instant> since{};
    admission::Priority priority = admission::Priority::interactive;
    bool counted = false;  // it had a slot before, so it is not new

    // Nothing is ready, but a pool may be until then, as Decision::awaited_until says; if none is,
    // the error.
    struct Awaited {
        Instant until{};
        Error otherwise;
    };

    std::optional<Awaited> awaited{};
    // After so long places of request.failed that are still as they were may be asked again: only
    // their connection was lost.
    Duration failed_for = kFailedFor;
};

// Where a request that waited may go: a slot of this pool is claimed for it.
struct Grant {
    view::ClusterViewPtr view;  // keeps `node` and `pool` alive
    const view::NodeBlock* node = nullptr;
    const view::PoolBlock* pool = nullptr;
    Instant since{};  // when the request first waited; names its place if it has to wait again
};

// Called once, on the control thread, when the wait is over: a grant, admission_reject, cancelled,
// or pool_unavailable when the program stops. Exactly one call, so that a slot granted to a client
// that just left is given back. Must not call the dispatcher.
using OnDispatched = std::function<void(Result<Grant>)>;

// Hears how many requests wait for a served name ("" = without a model) when that changes.
using OnDepth =
    std::function<void(const std::string& name, admission::Priority priority, std::size_t depth)>;

// Hears of each request that is admitted here for the first time, to a slot or to a queue.
using OnAdmitted = std::function<void(std::string_view name, admission::Priority priority)>;

// Asks for a pool to be loaded, because somebody waits for it: again and again, as long as one
// does.
using OnLoad = std::function<void(const PoolKey&)>;

// How a request that waits stands.
struct Standing {
    std::size_t ahead = 0;             // how many wait before it
    std::optional<Duration> start_in;  // see estimate_start()
};

// What would happen to a request that came now.
struct Outlook {
    placement::Decision decision;  // explained
    bool slot_free = false;        // decision.ranked.front() is free for it
    std::optional<Error> refused;  // the queue is full
    Standing standing;             // in the queue; without meaning when a slot is free
};

// Requests that found no free slot wait here, first come first served per served name. Owner: the
// control thread. Pure but for the load cells; time comes in.
//
// While requests wait, a waiter stands in the cell of every pool that may serve them, so that no
// edge claims past them; a slot that is freed there is handed to the head of the queue. Requests
// that ask for the same model and nothing else share one line, and one answer that all is full.
class Dispatcher {
public:
    Dispatcher(
        admission::AdmissionConfig config,
        placement::PlacementPolicy policy,
        OnDepth on_depth,
        OnAdmitted on_admitted = {},
        OnLoad on_load = {}
    );

    // Takes the request in. It may be granted or refused before this returns; the ticket names it
    // in cancel(). Requires: a view was set.
    admission::TicketId park(Bid bid, Instant now, OnDispatched on_dispatched);

    // Takes in a request that no edge has tried to place: a slot that is free and that nobody waits
    // for at once, else its place in the queue. Errors: why no pool fits it, or admission_reject;
    // then on_dispatched is not called.
    Result<admission::TicketId> admit(Bid bid, Instant now, OnDispatched on_dispatched);

    // Tries nothing and claims nothing.
    Outlook preview(const placement::PlacementRequest& request, Instant now) const;

    // Nothing when it does not wait. Cost: a decision, and a walk over those before it.
    std::optional<Standing> standing(admission::TicketId ticket, Instant now) const;

    // The client is gone: ends the wait with `cancelled` unless it has ended already.
    void cancel(admission::TicketId ticket);

    // Ends all waits with pool_unavailable and takes no more in: the program stops.
    void close();

    // A slot of this pool was given back while somebody waited.
    void slot_freed(const PoolKey& pool, Instant now);

    // A new picture, before the edges get it: cells of new pools then come with their waiters.
    void set_view(view::ClusterViewPtr view, Instant now);

    // A new round: pools that refused a lease may be asked again, and those that failed long ago;
    // whoever waited in vain for a pool to come back, or to be loaded, is told so.
    void retry_refused(Instant now);

    // The pool is not loaded now: others may be, for kRefusalHolds; who waits for it alone is told.
    static constexpr Duration kRefusalHolds = std::chrono::seconds(10);
    void load_refused(const PoolKey& pool, std::string why, Instant now);

    void expire(Instant now);

    const view::ClusterView& view() const { return *view_; }

    std::optional<Instant> next_deadline() const { return queue_.next_deadline(); }

    std::size_t waiting() const { return queue_.depth(); }

    // Of one served name, or of requests without a model.
    std::size_t waiting(const std::string& name) const { return queue_.depth(name); }

    // How many a full queue has refused so far.
    std::uint64_t turned_away() const { return queue_.turned_away(); }

    void set_config(admission::AdmissionConfig config) { queue_.set_config(config); }

    void set_policy(placement::PlacementPolicy policy) { policy_ = std::move(policy); }

private:
    struct Waiting {
        placement::PlacementRequest request;
        std::string name;  // of its queue
        admission::Priority priority = admission::Priority::interactive;
        Instant forgives_at{};  // places that failed
        std::optional<Bid::Awaited> awaited;
        OnDispatched on_dispatched;
        std::shared_ptr<WaitingLine> line;
    };

    using Waiters = std::unordered_map<admission::TicketId, Waiting>;

    struct LoadRefusal {
        std::string why;
        Instant until{};
    };

    // What those of a line that stands nowhere may wait for.
    struct Prospect {
        bool loading = false;  // as long as it takes
        std::optional<PoolKey> to_load;
        Error otherwise;
    };

    Result<void> take_in(admission::TicketId id, Bid bid, Instant now, OnDispatched on_dispatched);
    Result<void> enqueue(admission::Ticket ticket, Instant now, std::optional<Instant> since);
    void admitted(std::string_view name, admission::Priority priority, bool counted);
    void count_depth(const Waiting& waiting, bool more);
    std::shared_ptr<WaitingLine> line_for(const placement::PlacementRequest& request);
    void stand_in_line(Waiting& waiting, Instant now);
    std::optional<Grant> try_claim(const placement::PlacementRequest& request, Instant now);
    Prospect look_ahead(const Waiting& waiting, Instant now) const;
    std::string why_unloaded(const placement::PlacementRequest& request, Instant now) const;
    static std::optional<Error> judge_wait(Waiting& waiting, const Prospect& prospect);
    void attend_to_unserved(Instant now);
    void ask_to_load(const Prospect& prospect) const;
    void serve_all(Instant now);
    void serve_each(
        const std::vector<admission::TicketId>& tickets, Instant now, const LoadCell* only
    );
    bool serve(admission::TicketId ticket, Instant now);
    void end(admission::TicketId ticket, Result<Grant> outcome);

    admission::WaitQueue queue_;
    placement::PlacementPolicy policy_;
    OnDepth on_depth_;
    OnAdmitted on_admitted_;
    OnLoad on_load_;
    std::map<std::pair<std::string, admission::Priority>, std::size_t> depths_;
    placement::ChoiceLedger ledger_;
    view::ClusterViewPtr view_;
    Waiters waiters_;
    std::map<std::pair<std::string, ModelKind>, std::weak_ptr<WaitingLine>> lines_;
    std::map<PoolKey, LoadRefusal> load_refusals_;
    std::uint64_t tickets_ = 0;
    bool closed_ = false;
};

}  // namespace orch::control::gateway
