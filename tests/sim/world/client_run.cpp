#include "sim/world/client_run.hpp"

#include "control/gateway/gateway_config.hpp"
#include "sim/world/control_plane.hpp"
#include "sim/world/node_host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace orch::sim::world {

using namespace std::chrono_literals;
using control::gateway::AttemptAction;
using control::gateway::AttemptEvent;
using control::gateway::Grant;
using control::gateway::SecondTry;
using control::gateway::SlotClaim;
using Told = AttemptEvent::Kind;

namespace {

const control::gateway::GatewayConfig kConfig;

AttemptEvent of(Told kind) {
    return AttemptEvent{.kind = kind};
}

AttemptEvent with(Told kind, Errc code, std::string why) {
    return AttemptEvent{.kind = kind, .error = {code, std::move(why), {}}};
}

}  // namespace

ClientRun::ClientRun(Hub& hub, ControlPlane& control, std::size_t edge, Request& request)
    : hub_(hub),
      control_(control),
      edge_(edge),
      request_(request),
      wish_(request.wish),
      fsm_(
          {.retries = kConfig.retry_attempts, .pinned = wish_.pinned() && !wish_.fallback},
          [this](SecondTry) { return may_try(); }
      ) {
    control_.edge(edge_).retries().began();
}

ClientRun::~ClientRun() = default;

bool ClientRun::may_try() {
    const bool allowed = hub_.sabotaged(Sabotage::retry_storm) ||
                         control_.edge(edge_).retries().spend(hub_.options.retry_budget, now());
    if (allowed) {
        control_.tried_again(edge_);
    } else {
        ++hub_.held_back;
    }
    return allowed;
}

void ClientRun::start() {
    step(of(Told::start));
}

void ClientRun::step(Event event) {
    std::optional<Event> next = std::move(event);
    while (next && !over_) {
        if (gone_) {
            next = of(Told::client_gone);
        }
        next = perform(fsm_.resume(std::move(*next)));
    }
}

std::optional<ClientRun::Event> ClientRun::perform(Action action) {
    switch (action.kind) {
        case AttemptAction::Kind::place:
            return place();
        case AttemptAction::Kind::wait:
            return wait();
        case AttemptAction::Kind::send:
            return send();
        case AttemptAction::Kind::relay:
            return std::nullopt;  // pieces arrive by themselves
        case AttemptAction::Kind::answer_error:
            if (!hub_.sabotaged(Sabotage::forgotten_end)) {
                const bool queue = action.error.code == Errc::admission_reject;
                hub_.end(request_, queue ? Ending::rejected : Ending::failed);
            }
            return of(Told::answer_complete);
        case AttemptAction::Kind::break_answer:
            hub_.end(request_, Ending::broken);
            return of(Told::answer_complete);
        case AttemptAction::Kind::finish:
            finish();
            return std::nullopt;
    }
    hub_.referee.broken("the attempt machine asks for what the simulation does not know");
    return std::nullopt;
}

void ClientRun::finish() {
    over_ = true;
    control_.edge(edge_).retries().ended(now());
    conclude(true);
    visit_.reset();
    give_back();
    parked_at_.reset();
    if (gone_ && !request_.ending) {
        hub_.end(request_, Ending::client_left);
    }
    control_.finished(*this);
}

std::optional<ClientRun::Event> ClientRun::place() {
    wish_.failed = fsm_.failed();
    wish_.exclude = fsm_.refused();
    auto choice = control_.edge(edge_).choose(wish_);
    if (choice.claim) {
        take(std::move(*choice.claim), false);
        return AttemptEvent{
            .kind = Told::placed, .pool = claim_->pool().key, .life = claim_->pool().life
        };
    }
    if (choice.awaited_until && fsm_.failed().empty()) {
        awaited_ = {*choice.awaited_until, *choice.rejection};
        return of(Told::no_slot);
    }
    if (choice.rejection) {
        return AttemptEvent{.kind = Told::rejected, .error = *choice.rejection};
    }
    return of(choice.all_excluded ? Told::all_excluded : Told::no_slot);
}

std::optional<ClientRun::Event> ClientRun::wait() {
    wish_.failed = fsm_.failed();
    wish_.exclude.clear();
    if (!waited_since_) {
        first_waited_ = now();
    }
    control::gateway::Bid bid{wish_, fsm_.refused(), waited_since_, {}, waited_since_.has_value()};
    bid.awaited = std::exchange(awaited_, std::nullopt);
    if (hub_.sabotaged(Sabotage::jumped_queue) && request_.id % 3 == 0) {
        bid.since = now() - hub_.options.queue_timeout / 2;
    }
    waiting_.emplace(control_.dispatch().park(control_.executor(edge_), std::move(bid)));
    parked_at_ = now();
    overlooked = 0;
    hub_.note("waits", request_.id);
    control_.parked(*this);
    control_.edge_tasks(edge_).spawn(await_grant());
    return std::nullopt;
}

Task<void> ClientRun::await_grant() {
    const auto self = shared_from_this();
    Result<Grant> grant = co_await waiting_->grant.wait_to_end();
    granted(std::move(grant));
}

void ClientRun::granted(Result<Grant> grant) {
    if (over_) {
        return;  // with its control plane
    }
    waiting_.reset();
    if (!grant) {
        control_.unparked(*this);
        parked_at_.reset();
        step(AttemptEvent{.kind = Told::queue_failed, .error = std::move(grant.error())});
        return;
    }
    waited_since_ = grant->since;
    take(SlotClaim(control_.dispatch(), grant->view, *grant->node, *grant->pool), true);
    control_.unparked(*this);
    parked_at_.reset();
    step(
        AttemptEvent{.kind = Told::granted, .pool = claim_->pool().key, .life = claim_->pool().life}
    );
}

void ClientRun::take(SlotClaim claim, bool from_queue) {
    claim_.emplace(std::move(claim));
    control_.claimed(*this, claim_->node(), claim_->pool(), edge_, from_queue);
}

void ClientRun::give_back() {
    if (claim_) {
        control_.released(*claim_->pool().cell);
        if (hub_.sabotaged(Sabotage::doubled_release) && hub_.chance.yes(0.05)) {
            static_cast<void>(claim_->pool().cell->release());
        }
        claim_.reset();
        hub_.wake();
    }
}

// --- a place

std::optional<ClientRun::Event> ClientRun::send() {
    visit_.emplace(control_.edge(edge_), claim_->node().id, [this] {
        node_silent_ = true;
        if (!connecting_) {
            arm(std::min(wait_limit_, kConfig.node_timeout));
        }
    });
    node_silent_ = false;
    if (next_piece_ != 0) {
        ++hub_.continued;
        hub_.note("goes on", request_.id, next_piece_);
    }
    open(hub_.chance.yes(0.5));
    return std::nullopt;
}

void ClientRun::open(bool reused) {
    call_ = std::make_shared<Call>();
    call_->request = request_.id;
    call_->node = Hub::number_of(claim_->node().id);
    call_->pool = claim_->pool().key.pool;
    call_->reused = reused;
    call_->from = next_piece_;
    const bool more = next_piece_ != 0 && next_piece_ + 1 < request_.pieces;
    if (more && hub_.sabotaged(Sabotage::skipped_piece)) {
        ++call_->from;
    }
    request_.calls.push_back(call_);
    any_byte_ = false;
    connecting_ = !reused;
    wait_began_ = now();
    arm(reused ? kConfig.first_byte_limit : kConfig.connect_limit);
    NodeHost& host = *hub_.hosts[call_->node];
    hub_.network.send(call_->stream, call_->node, Way::to_node, [&host, call = call_, reused] {
        if (reused) {
            host.request(call);
        } else if (!call->concluded) {
            host.connect(call);
        }
    });
    if (hub_.sabotaged(Sabotage::doubled_dispatch) && hub_.hosts.size() > 1) {
        const auto twin = std::make_shared<Call>(*call_);
        twin->node = (call_->node + 1) % hub_.hosts.size();
        request_.calls.push_back(twin);
        hub_.hosts[twin->node]->request(twin);
    }
}

void ClientRun::arm(Duration limit) {
    wait_limit_ = limit;
    if (now() - wait_began_ >= limit || !watching_) {
        look_at_deadline();
    }
}

// One event watches the deadline, which mostly moves away from it; a shorter limit has its own.
void ClientRun::look_at_deadline() {
    watching_ = true;
    hub_.heap.at(wait_began_ + wait_limit_, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->control_.post(self->edge_, [weak] {
                if (const auto run = weak.lock()) {
                    run->too_late();
                }
            });
        }
    });
}

void ClientRun::too_late() {
    watching_ = false;
    if (over_ || !call_) {
        return;
    }
    if (now() < wait_began_ + wait_limit_) {
        look_at_deadline();
        return;
    }
    hub_.note(connecting_ ? "cannot connect" : "hears nothing", request_.id, call_->node);
    take_failure(!connecting_, connecting_);
}

void ClientRun::receive(const std::shared_ptr<Call>& call, WireEvent event) {
    if (over_ || call != call_) {
        return;
    }
    switch (event.kind) {
        case WireEvent::Kind::connected: {
            connecting_ = false;
            wait_began_ = now();
            arm(kConfig.first_byte_limit);
            NodeHost& host = *hub_.hosts[call->node];
            hub_.network.send(call->stream, call->node, Way::to_node, [&host, call] {
                host.request(call);
            });
            return;
        }
        case WireEvent::Kind::refused:
            take_failure(false, true);
            return;
        case WireEvent::Kind::piece:
            take_piece(event.piece);
            if (hub_.sabotaged(Sabotage::repeated_piece)) {
                take_piece(event.piece);
            }
            return;
        case WireEvent::Kind::end:
            take_end();
            return;
        case WireEvent::Kind::node_error:
            take_node_error(event.code);
            return;
        case WireEvent::Kind::cut:
            // An idle connection that the node had closed: once more on a new one.
            if (call->reused && !any_byte_) {
                call->concluded = true;
                open(false);
                return;
            }
            take_failure(false, true);
            return;
    }
}

void ClientRun::take_piece(std::uint32_t piece) {
    if (piece != next_piece_) {
        hub_.referee.broken(fmt::format(
            "request {}: its client gets piece {} instead of {}", request_.id, piece, next_piece_
        ));
    }
    ++next_piece_;
    any_byte_ = true;
    wait_began_ = now();
    arm(kConfig.idle_limit);
    if (!std::exchange(begun_, true)) {
        step(of(Told::answer_begun));
    }
}

void ClientRun::take_end() {
    if (request_.streams && next_piece_ != request_.pieces) {
        hub_.referee.broken(fmt::format("request {}: text is lost", request_.id));
    }
    claim_->pool().cell->note_service(1s);
    conclude(false);
    give_back();
    hub_.end(request_, Ending::served);
    if (hub_.sabotaged(Sabotage::doubled_end)) {
        hub_.end(request_, Ending::served);
    }
    step(of(Told::answer_complete));
}

void ClientRun::take_failure(bool late, bool blames_node) {
    hub_.note("a place fails", request_.id, call_->node);
    if (blames_node) {
        suspect_node();
    }
    conclude(true);
    const Errc code = late && !node_silent_ ? Errc::decode_timeout : Errc::worker_reset;
    if (std::exchange(begun_, false)) {
        give_back();
        begin_wait_anew();
        AttemptEvent broken = with(Told::answer_broken, code, "broken");
        broken.resumable = request_.can_go_on;
        step(std::move(broken));
        return;
    }
    if (hub_.sabotaged(Sabotage::leaked_slot)) {
        control_.released(*claim_->pool().cell);
        lose(std::move(*claim_));
        claim_.reset();
    }
    give_back();
    begin_wait_anew();
    step(with(Told::place_failed, code, "failed"));
}

void ClientRun::take_node_error(Errc code) {
    conclude(false);
    give_back();
    switch (code) {
        case Errc::replica_exhausted:
        case Errc::pool_unready:
        case Errc::pool_unavailable:
        case Errc::not_found:
            hub_.note("is refused a lease", request_.id, call_ ? call_->node : 0);
            step(of(Told::lease_refused));
            return;
        default:
            begin_wait_anew();
            step(with(Told::place_failed, Errc::worker_reset, "the node says so"));
            return;
    }
}

// Who waits for the rest of an answer is not turned away by a full queue.
void ClientRun::begin_wait_anew() {
    waited_since_.reset();
    if (next_piece_ != 0) {
        waited_since_ = now();
        first_waited_ = now();
    }
}

void ClientRun::suspect_node() {
    for (const auto& pool : claim_->node().pools) {
        pool.cell->suspect_until(now() + kConfig.suspicion);
    }
}

// Nothing more of this call counts.
void ClientRun::conclude(bool tell_node) {
    const auto call = std::exchange(call_, nullptr);
    visit_.reset();
    if (!call || std::exchange(call->concluded, true) || !tell_node) {
        return;
    }
    NodeHost& host = *hub_.hosts[call->node];
    hub_.network.send(call->stream, call->node, Way::to_node, [&host, call] { host.close(call); });
}

void ClientRun::client_left() {
    if (over_ || gone_) {
        return;
    }
    gone_ = true;
    hub_.note("its client leaves", request_.id);
    if (waiting_) {
        control_.dispatch().cancel(*waiting_);
        hub_.wake();
        return;
    }
    conclude(true);
    step(of(Told::client_gone));
}

void ClientRun::die() {
    if (over_) {
        return;
    }
    over_ = true;
    conclude(true);
    visit_.reset();
    if (!request_.ending) {
        hub_.end(request_, gone_ ? Ending::client_left : Ending::cut_off);
    }
}

}  // namespace orch::sim::world
