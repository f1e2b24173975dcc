#include "sim/sim_cluster.hpp"

#include <variant>

namespace orch::sim {

namespace enroll = node::enroll;

SimCluster::SimCluster(
    std::uint64_t seed,
    std::size_t nodes,
    Pools pools,
    OnView on_view,
    control::registry::RegistryConfig config
)
    : rng_(seed), pools_(std::move(pools)), on_view_(std::move(on_view)), config_(config) {
    for (std::size_t i = 0; i < nodes; ++i) {
        nodes_.push_back(std::make_unique<SimNode>("n" + std::to_string(i), rng_));
    }
    restart_control();
}

SimCluster::~SimCluster() {
    end_tasks();
}

void SimCluster::end_tasks() {
    while (tasks_ && tasks_->size() != 0) {
        tasks_->cancel();
        clock_.run_for(Duration::zero());
    }
}

void SimCluster::restart_control() {
    end_tasks();
    backend_.reset();
    tasks_ = std::make_unique<async::TaskGroup>(loop_.executor(), [this](const std::string&) {
        ++bugs_;
    });
    for (const auto& node : nodes_) {
        node->last_heard.reset();
    }
    probe_ = std::make_unique<control::fleet::RegistryProbe>(metrics_);
    backend_ = std::make_unique<control::fleet::RegistryBackend>(
        config_,
        control::fleet::RegistryBackend::Parts{clock_, *tasks_, answers_at_once_, *probe_},
        [this](const control::view::ClusterViewPtr& view) {
            view_ = view;
            on_view_(view);
        },
        Logger(sink_, "registry")
    );
    backend_->start();
}

void SimCluster::start_node(std::size_t index) {
    drive(index, enroll::enroll_event::Start{});
}

void SimCluster::run_until(Instant end) {
    while (!wakes_.empty() && wakes_.begin()->first <= end) {
        const auto [at, index] = *wakes_.begin();
        clock_.run_until(at);
        wakes_.erase({at, index});
        nodes_[index]->wake.reset();
        drive(index, enroll::enroll_event::TimerExpired{});
    }
    clock_.run_until(end);
}

void SimCluster::drive(std::size_t index, const enroll::EnrollEvent& event) {
    for (const enroll::EnrollAction& action : nodes_[index]->fsm.resume(event, clock_.now())) {
        if (const auto* wait = std::get_if<enroll::enroll_action::WaitUntil>(&action)) {
            wake_at(index, wait->at);
        } else if (const auto* beat = std::get_if<enroll::enroll_action::SendHeartbeat>(&action)) {
            drive(index, deliver_heartbeat(index, beat->seq));
        } else if (std::holds_alternative<enroll::enroll_action::SendRegister>(action)) {
            drive(index, deliver_registration(index));
        } else {
            drive(index, enroll::enroll_event::DeregisterAnswered{});
        }
    }
}

void SimCluster::wake_at(std::size_t index, Instant at) {
    SimNode& node = *nodes_[index];
    if (node.wake) {
        wakes_.erase({*node.wake, index});
    }
    node.wake = at;
    wakes_.emplace(at, index);
}

enroll::EnrollEvent SimCluster::deliver_registration(std::size_t index) {
    using enroll::RegisterOutcome;
    const SimNode& node = *nodes_[index];
    if (clock_.now() < node.silent_until) {
        return enroll::enroll_event::RegisterAnswered{RegisterOutcome::unreachable, {}, "silence"};
    }
    api::RegisterRequest message;
    message.node_id = node.id;
    message.machine_id = MachineId("m-" + node.id.str());
    message.address = "http://" + node.host + ":9200";
    message.boot_id = "b1";
    const auto answer = backend_->register_node(message);
    if (!answer) {
        return enroll::enroll_event::RegisterAnswered{
            RegisterOutcome::refused, {}, answer.error().message
        };
    }
    return enroll::enroll_event::RegisterAnswered{
        RegisterOutcome::accepted,
        std::chrono::milliseconds(answer->next_heartbeat_ms.value_or(0)),
        {}
    };
}

enroll::EnrollEvent SimCluster::deliver_heartbeat(std::size_t index, std::uint64_t seq) {
    using enroll::HeartbeatOutcome;
    SimNode& node = *nodes_[index];
    if (clock_.now() < node.silent_until) {
        return enroll::enroll_event::HeartbeatAnswered{
            HeartbeatOutcome::unreachable, {}, "silence"
        };
    }
    api::HeartbeatRequest message;
    message.timestamp = "t";
    message.boot_id = "b1";
    message.seq = seq;
    message.pools = pools_(index);
    // A picture may be published before the answer is here.
    const auto before = std::exchange(node.last_heard, clock_.now());
    const auto answer = backend_->heartbeat(node.id, message);
    if (!answer) {
        node.last_heard = before;
        return enroll::enroll_event::HeartbeatAnswered{
            HeartbeatOutcome::unknown_node, {}, answer.error().message
        };
    }
    ++heartbeats_;
    return enroll::enroll_event::HeartbeatAnswered{
        HeartbeatOutcome::accepted, std::chrono::milliseconds(answer->next_heartbeat_ms), {}
    };
}

bool SimCluster::knows(std::size_t index) {
    return backend_->table().get(nodes_[index]->id, clock_.now()).has_value();
}

NodeStatus SimCluster::status(std::size_t index) {
    return backend_->table().get(nodes_[index]->id, clock_.now())->status;
}

api::PoolReport sim_pool(std::string id, std::string model, std::uint32_t slots) {
    api::PoolReport pool;
    pool.pool_id = PoolId(std::move(id));
    pool.ready = true;
    pool.slots_free = slots;
    pool.slots_total = slots;
    pool.active_leases = 0;
    pool.served_name = model;
    pool.models_available = {std::move(model)};
    return pool;
}

}  // namespace orch::sim
