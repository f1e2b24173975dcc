#include "sim/world/node_host.hpp"

#include "sim/world/wire.hpp"

#include <algorithm>
#include <utility>

namespace orch::sim::world {

using namespace std::chrono_literals;

NodeHost::NodeHost(Hub& hub, std::size_t index)
    : hub_(hub),
      index_(index),
      rate_(0.98 + 0.04 * hub.chance.uniform()),
      offset_(hub.chance.between(Duration{}, Duration(2h))) {}

Instant NodeHost::local() const {
    const auto since = static_cast<double>(hub_.now().time_since_epoch().count());
    return Instant(Duration(static_cast<Duration::rep>(since * rate_)) + offset_);
}

// Never before: a timer that expires early is ignored.
Duration NodeHost::global(Duration local) const {
    constexpr Duration kRounding = std::chrono::microseconds(1);
    return Duration(static_cast<Duration::rep>(static_cast<double>(local.count()) / rate_)) +
           kRounding;
}

Instant NodeHost::global(Instant local) const {
    return hub_.now() + std::max(Duration{}, global(local - this->local()));
}

Duration NodeHost::disk_delay() {
    return hub_.chance.between(200us, 4ms) + hub_.chance.between(Duration{}, disk_slowness);
}

std::shared_ptr<EngineProcess> NodeHost::spawn() {
    std::erase_if(engines_, [](const auto& engine) {
        return engine->state() == EngineProcess::State::gone;
    });
    if (spawn_fails) {
        return nullptr;
    }
    auto engine = std::make_shared<EngineProcess>(hub_, index_, ++pids_, hub_.options.slots);
    hub_.note("an engine starts", index_, static_cast<std::uint64_t>(pids_));
    engine->load(hub_.chance.between(300ms, 8s));
    engines_.push_back(engine);
    return engine;
}

std::vector<std::shared_ptr<EngineProcess>> NodeHost::running() const {
    std::vector<std::shared_ptr<EngineProcess>> running;
    for (const auto& engine : engines_) {
        if (engine->state() != EngineProcess::State::gone) {
            running.push_back(engine);
        }
    }
    return running;
}

std::shared_ptr<EngineProcess> NodeHost::find(std::int64_t pid) const {
    const auto found =
        std::ranges::find_if(engines_, [pid](const auto& engine) { return engine->pid() == pid; });
    const bool runs = found != engines_.end() && (*found)->state() != EngineProcess::State::gone;
    return runs ? *found : nullptr;
}

void NodeHost::start_daemon() {
    powered_ = true;
    if (daemon_) {
        return;
    }
    hub_.note("a daemon starts", index_, ++boots_);
    daemon_ = std::make_shared<NodeDaemon>(hub_, *this, boots_);
    daemon_->start();
}

void NodeHost::crash_daemon() {
    if (daemon_) {
        hub_.note("a daemon ends", index_);
        std::exchange(daemon_, nullptr)->die(powered_);
    }
}

void NodeHost::stop_daemon(Duration pause, bool keep) {
    if (!daemon_) {
        return;
    }
    hub_.note("a daemon is told to stop", index_);
    auto on_rest = [this, pause] {
        crash_daemon();
        hub_.heap.after(pause, [this] { start_daemon(); });
    };
    if (keep) {
        daemon_->stop_keeping(std::move(on_rest));
    } else {
        daemon_->stop(std::move(on_rest));
    }
}

void NodeHost::power_off() {
    hub_.note("a machine is off", index_);
    powered_ = false;
    crash_daemon();
    for (const auto& engine : running()) {
        engine->on_exit = nullptr;
        engine->die();
    }
    records_.clear();
}

void NodeHost::connect(const std::shared_ptr<Call>& call) {
    if (powered_) {
        send_to_edge(
            hub_, call, {.kind = daemon_ ? WireEvent::Kind::connected : WireEvent::Kind::refused}
        );
    }
}

void NodeHost::request(const std::shared_ptr<Call>& call) {
    if (powered_ && daemon_) {
        daemon_->serve(call);
    } else if (powered_) {
        send_to_edge(hub_, call, {.kind = WireEvent::Kind::cut});
    }
}

void NodeHost::close(const std::shared_ptr<Call>& call) {
    if (daemon_) {
        daemon_->client_left(call);
    }
}

}  // namespace orch::sim::world
