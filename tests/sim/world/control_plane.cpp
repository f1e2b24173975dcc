#include "sim/world/control_plane.hpp"

#include "control/placement/feasibility.hpp"
#include "sim/world/node_host.hpp"
#include "sim/world/open_calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::sim::world {

using namespace std::chrono_literals;
using control::view::NodeBlock;
using control::view::PoolBlock;

namespace {

constexpr Duration kCheckLimit = 2s;
constexpr Duration kLoadLimit = 5s;

}  // namespace

// Asks a node's address over the simulated network.
class ControlPlane::Check final : public control::fleet::NodeCheck {
public:
    Check(Hub& hub, async::EventLoop& loop) : hub_(hub), asked_(hub, loop) {}

    Task<control::fleet::Reachability> check(NodeId node, control::view::Endpoint) override {
        const std::size_t index = Hub::number_of(node);
        auto [answer, tell] = asked_.begin();
        hub_.network.send(index, Way::to_node, [&hub = hub_, index, tell] {
            NodeHost& host = *hub.hosts[index];
            if (!host.powered()) {
                return;
            }
            const bool up = host.daemon() != nullptr;
            hub.network.send(index, Way::to_control, [tell, up] {
                tell(Reachability{up, up ? "" : "refused"});
            });
        });
        hub_.heap.after(kCheckLimit, [tell] { tell(Reachability{false, "no answer"}); });
        co_return co_await answer.wait();
    }

private:
    using Reachability = control::fleet::Reachability;

    Hub& hub_;
    OpenCalls<Reachability> asked_;
};

// Tells nodes to load pools over the simulated network. Operators drain at the node.
class ControlPlane::Loads final : public control::fleet::NodePools {
public:
    Loads(Hub& hub, async::EventLoop& loop, std::map<PoolKey, Instant>& asked_to_load)
        : hub_(hub), calls_(hub, loop), asked_to_load_(asked_to_load) {}

    using Answer = Result<api::PoolStatus>;

    Task<Answer> preload(std::string address, PoolId pool) override {
        const std::size_t index = NodeDaemon::host_at(address);
        hub_.note("is asked to load", index);
        asked_to_load_[{NodeId(fmt::format("n{}", index)), pool}] = hub_.now();
        auto [answer, tell] = calls_.begin();
        hub_.network.send(index, Way::to_node, [&hub = hub_, index, pool, tell] {
            NodeHost& host = *hub.hosts[index];
            if (!host.powered()) {
                return;
            }
            const Answer told =
                host.daemon() ? host.daemon()->load(pool) : fail(Errc::node_unavailable, "refused");
            hub.network.send(index, Way::to_control, [tell, told] { tell(told); });
        });
        hub_.heap.after(kLoadLimit, [tell] { tell(fail(Errc::node_unavailable, "no answer")); });
        co_return co_await answer.wait();
    }

    Task<Answer> drain(std::string, PoolId, Duration) override {
        co_return fail(Errc::internal, "operators drain at the node");
    }

    Task<Answer> reload(std::string, PoolId, api::PoolReloadRequest) override {
        co_return fail(Errc::internal, "nobody reloads here");
    }

private:
    Hub& hub_;
    OpenCalls<Answer> calls_;
    std::map<PoolKey, Instant>& asked_to_load_;
};

ControlPlane::EdgeUnit::EdgeUnit(Hub& hub, ControlPlane& control, std::size_t index)
    : edge(index, hub.clock, Logger(hub.sink, "edge")),
      state(
          edge,
          *control.dispatch_,
          control::placement::PlacementPolicy{},
          control::gateway::PlacementProbe(control.metrics_),
          control.metrics_
      ),
      tasks(edge.loop().executor(), control.report()) {}

ControlPlane::ControlPlane(Hub& hub, const std::vector<NodeId>& cordoned)
    : hub_(hub),
      tasks_(loop_.executor(), report()),
      check_(std::make_unique<Check>(hub, loop_)),
      probe_(metrics_),
      loads_(std::make_unique<Loads>(hub, loop_, asked_to_load_)),
      load_probe_(metrics_),
      started_at_(hub.now()) {
    hub_.note("a control plane starts");
    dispatch_ = std::make_unique<control::gateway::DispatchLoop>(
        loop_,
        hub_.clock,
        tasks_,
        control::admission::AdmissionConfig{hub_.options.queue, hub_.options.queue_timeout},
        control::placement::PlacementPolicy{},
        metrics_,
        [this](const PoolKey& pool) {
            if (!hub_.sabotaged(Sabotage::lazy_loader)) {
                pools_->load(pool);
            }
        }
    );
    for (std::size_t i = 0; i < hub_.options.edges; ++i) {
        edges_.push_back(std::make_unique<EdgeUnit>(hub_, *this, i));
    }
    registry_ = std::make_unique<control::fleet::RegistryBackend>(
        control::registry::RegistryConfig{
            .node_timeout = hub_.sabotaged(Sabotage::immortal_node) ? Duration(24h) : Duration(30s)
        },
        control::fleet::RegistryBackend::Parts{hub_.clock, tasks_, *check_, probe_},
        [this](const control::view::ClusterViewPtr& view) { publish(view); },
        Logger(hub_.sink, "registry")
    );
    pools_ = std::make_unique<control::fleet::PoolBackend>(
        control::fleet::PoolBackend::Parts{hub_.clock, tasks_, *loads_, *registry_, load_probe_},
        [this](const PoolKey& pool, std::string why) {
            dispatch_->dispatcher().load_refused(pool, std::move(why), hub_.now());
        },
        Logger(hub_.sink, "fleet")
    );
    registry_->on_change([this](const control::registry::NodeChange& change) {
        note_change(change);
    });
    registry_->restore_cordons(cordoned);
    loop_.post([this] { registry_->start(); });
    pump();
}

ControlPlane::~ControlPlane() {
    for (const auto& [id, run] : runs_) {
        run->die();
    }
    dispatch_->dispatcher().close();
    const auto left = [this] {
        std::size_t tasks = tasks_.size();
        for (const auto& edge : edges_) {
            tasks += edge->tasks.size();
        }
        return tasks;
    };
    while (left() != 0) {
        tasks_.cancel();
        loop_.context().poll();
        for (const auto& edge : edges_) {
            edge->edge.loop().context().poll();
        }
    }
    finished_.clear();
    runs_.clear();
}

async::TaskGroup::OnBug ControlPlane::report() {
    return [&hub = hub_](const std::string& what) { hub.referee.broken("an exception: " + what); };
}

// --- threads

void ControlPlane::pump() {
    for (bool more = true; more;) {
        more = false;
        if (hub_.now() >= stalled_until_) {
            more = loop_.context().poll() > 0;
        }
        for (const auto& edge : edges_) {
            if (hub_.now() >= edge->stalled_until) {
                more = edge->edge.loop().context().poll() > 0 || more;
            }
        }
    }
    idle_at_ = hub_.now() >= stalled_until_ ? hub_.now() : idle_at_;
    for (const auto& edge : edges_) {
        edge->idle_at = hub_.now() >= edge->stalled_until ? hub_.now() : edge->idle_at;
    }
    judge_turns();
    finished_.clear();
}

void ControlPlane::stall(Duration how_long) {
    stalled_until_ = hub_.now() + how_long;
    last_late_ = std::max(last_late_, stalled_until_);
    hub_.heap.at(stalled_until_, [&hub = hub_] { hub.wake(); });
}

void ControlPlane::stall_edge(std::size_t edge, Duration how_long) {
    edges_[edge]->stalled_until = hub_.now() + how_long;
    last_late_ = std::max(last_late_, edges_[edge]->stalled_until);
    hub_.heap.at(edges_[edge]->stalled_until, [&hub = hub_] { hub.wake(); });
}

void ControlPlane::post(std::size_t edge, std::function<void()> work) {
    edges_[edge]->edge.loop().post(std::move(work));
    hub_.wake();
}

// --- what arrives

void ControlPlane::register_node(
    api::RegisterRequest message, std::function<void(const Result<api::RegisterResponse>&)> back
) {
    loop_.post([this, message = std::move(message), back = std::move(back)] {
        hub_.note("registers", Hub::number_of(message.node_id));
        const auto answer = registry_->register_node(message);
        if (answer) {
            Heard& heard = heard_[message.node_id];
            const bool anew = heard.boot != *message.boot_id;
            heard = {hub_.now(), *message.boot_id, anew ? 0 : heard.seq};
        }
        back(answer);
    });
    hub_.wake();
}

void ControlPlane::heartbeat(
    NodeId node,
    api::HeartbeatRequest message,
    std::function<void(const Result<api::HeartbeatResponse>&)> back
) {
    loop_.post(
        [this, node = std::move(node), message = std::move(message), back = std::move(back)] {
            hub_.note("beats", Hub::number_of(node), *message.seq);
            const auto answer = registry_->heartbeat(node, message);
            Heard& heard = heard_[node];
            if (answer && *message.seq > heard.seq) {
                heard.at = hub_.now();
                heard.seq = *message.seq;
            }
            back(answer);
        }
    );
    hub_.wake();
}

void ControlPlane::deregister(NodeId node, std::function<void()> back) {
    loop_.post([this, node = std::move(node), back = std::move(back)] {
        hub_.note("leaves", Hub::number_of(node));
        static_cast<void>(registry_->deregister(node));
        heard_.erase(node);
        back();
    });
    hub_.wake();
}

void ControlPlane::deliver(const std::shared_ptr<Call>& call, WireEvent event) {
    const auto found = runs_.find(call->request);
    if (found == runs_.end()) {
        return;
    }
    post(call->request % edges_.size(), [run = found->second, call, event] {
        run->receive(call, event);
    });
}

void ControlPlane::arrive(Request& request) {
    hub_.note("arrives", request.id);
    const std::size_t edge = request.id % edges_.size();
    const auto run = std::make_shared<ClientRun>(hub_, *this, edge, request);
    runs_[request.id] = run;
    ++edges_[edge]->running;
    post(edge, [run] { run->start(); });
}

void ControlPlane::leave(const Request& request) {
    const auto found = runs_.find(request.id);
    if (found != runs_.end()) {
        post(request.id % edges_.size(), [run = found->second] { run->client_left(); });
    }
}

void ControlPlane::cordon(const NodeId& node, bool cordoned) {
    loop_.post([this, node, cordoned] {
        if (registry_->set_cordoned(node, cordoned) || cordoned) {
            return;
        }
        // Told that the node is not known, as shortly after a restart, the operator tries again.
        hub_.heap.after(1s, [&hub = hub_, node] {
            if (hub.control) {
                hub.control->cordon(node, false);
            }
        });
    });
    hub_.wake();
}

void ControlPlane::close_queue() {
    loop_.post([this] { dispatch_->dispatcher().close(); });
    hub_.wake();
}

std::vector<NodeId> ControlPlane::cordoned() const {
    const auto& nodes = registry_->unpublished().cordoned();
    return {nodes.begin(), nodes.end()};
}

void ControlPlane::finished(ClientRun& run) {
    const auto found = runs_.find(run.request().id);
    EdgeUnit& edge = *edges_[run.request().id % edges_.size()];
    --edge.running;
    edge.ends.push_back(hub_.now());
    finished_.push_back(found->second);
    runs_.erase(found);
    run.request().calls.clear();
}

// The order of ControlApp::on_view().
void ControlPlane::publish(const control::view::ClusterViewPtr& view) {
    const bool old_enough = hub_.now() - started_at_ > 30s;
    view_ = view;
    if (hub_.sabotaged(Sabotage::deaf_dispatcher)) {
        hold_back(*view);
    } else {
        dispatch_->dispatcher().set_view(view, hub_.now());
    }
    for (const auto& edge : edges_) {
        if (old_enough && hub_.sabotaged(Sabotage::stale_view)) {
            continue;
        }
        edge->edge.loop().post([&state = edge->state, view] { state.set_view(view); });
    }
    hub_.wake();
}

// The edges may claim nothing, as if somebody waited, and the queue knows of no place.
void ControlPlane::hold_back(const control::view::ClusterView& view) {
    for (const auto& node : view.nodes()) {
        for (const auto& pool : node->pools) {
            if (pool.cell->waiters() == 0) {
                pool.cell->add_waiter();
            }
        }
    }
}

// By what the table says now: several changes are told together.
void ControlPlane::note_change(const control::registry::NodeChange& change) {
    const auto node = registry_->unpublished().get(change.node, hub_.now());
    if (node && node->status == NodeStatus::online && node->reachable) {
        closed_nodes_.erase(change.node);
    } else {
        closed_nodes_.try_emplace(change.node, hub_.now());
    }
    if (change.pool.str().empty()) {
        return;
    }
    const PoolKey key{change.node, change.pool};
    const auto pool = registry_->unpublished().get_pool(key);
    if (pool && pool->ready && !pool->draining) {
        closed_pools_.erase(key);
    } else {
        closed_pools_.try_emplace(key, hub_.now());
    }
}

}  // namespace orch::sim::world
