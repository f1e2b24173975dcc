#pragma once

#include "control/gateway/attempt_fsm.hpp"
#include "control/gateway/dispatch_loop.hpp"
#include "control/gateway/edge_state.hpp"
#include "control/gateway/slot_claim.hpp"
#include "sim/world/wire.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace orch::sim::world {

class ControlPlane;

// One request at its edge: performs what its AttemptFsm decides, in the order of InferenceRun, on
// the simulated network. Runs on the edge's io_context; nothing of it happens outside.
class ClientRun : public std::enable_shared_from_this<ClientRun> {
public:
    ClientRun(Hub& hub, ControlPlane& control, std::size_t edge, Request& request);
    ~ClientRun();

    void start();
    void client_left();
    void receive(const std::shared_ptr<Call>& call, WireEvent event);

    // The control plane dies with it.
    void die();

    bool over() const { return over_; }

    Request& request() const { return request_; }

    const control::placement::PlacementRequest& wish() const { return wish_; }

    // Since when it stands in the queue without a break; nothing when it does not.
    std::optional<Instant> parked_at() const { return parked_at_; }

    Instant first_waited() const { return *first_waited_; }

    // A free slot was seen by that many looks in a row while it waited.
    unsigned overlooked = 0;

private:
    using Event = control::gateway::AttemptEvent;
    using Action = control::gateway::AttemptAction;

    void step(Event event);
    std::optional<Event> perform(Action action);
    std::optional<Event> place();
    std::optional<Event> wait();
    std::optional<Event> send();
    Task<void> await_grant();
    void granted(Result<control::gateway::Grant> grant);
    void open(bool reused);
    void arm(Duration limit);
    void look_at_deadline();
    void too_late();
    void take(control::gateway::SlotClaim claim, bool from_queue);
    void give_back();
    void conclude(bool tell_node);
    void take_piece(std::uint32_t piece);
    void take_end();
    void take_failure(bool late, bool blames_node);
    void take_node_error(Errc code);
    void suspect_node();
    void begin_wait_anew();
    bool may_try();
    void finish();

    Instant now() const { return hub_.now(); }

    Hub& hub_;
    ControlPlane& control_;
    std::size_t edge_;
    Request& request_;
    control::placement::PlacementRequest wish_;
    control::gateway::AttemptFsm fsm_;
    std::optional<control::gateway::SlotClaim> claim_;
    std::optional<control::gateway::DispatchLoop::Wait> waiting_;
    std::optional<control::gateway::EdgeState::Visit> visit_;
    std::optional<Instant> waited_since_;
    std::optional<control::gateway::Bid::Awaited> awaited_;
    std::optional<Instant> first_waited_;
    std::optional<Instant> parked_at_;
    std::shared_ptr<Call> call_;
    bool connecting_ = false;
    bool any_byte_ = false;
    bool begun_ = false;
    bool node_silent_ = false;
    bool gone_ = false;
    bool over_ = false;
    std::uint32_t next_piece_ = 0;
    Instant wait_began_{};
    Duration wait_limit_{};
    bool watching_ = false;  // an event of the deadline is under way
};

}  // namespace orch::sim::world
