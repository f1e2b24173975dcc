#include "sim/world/engine_process.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::sim::world {

using namespace std::chrono_literals;

EngineProcess::EngineProcess(Hub& hub, std::size_t node, std::int64_t pid, std::uint32_t slots)
    : hub_(hub), node_(node), pid_(pid), slots_(slots) {}

void EngineProcess::later(Duration delay, std::function<void()> act) {
    hub_.heap.after(delay, [this, alive = std::weak_ptr(alive_), act = std::move(act)]() mutable {
        if (alive.expired() || state_ == State::gone) {
            return;
        }
        if (frozen_) {
            held_.push_back(std::move(act));
        } else {
            act();
        }
    });
}

void EngineProcess::load(Duration takes) {
    later(takes, [this] {
        hub_.note("an engine serves", node_, static_cast<std::uint64_t>(pid_));
        state_ = State::serving;
        leave_if_asked();
    });
}

bool EngineProcess::begin(
    std::uint64_t work, const Request& request, std::uint32_t from, Listener listener
) {
    if (state_ != State::serving) {
        return false;
    }
    Work& begun = works_[work];
    begun.listener = std::move(listener);
    begun.pieces = request.pieces;
    begun.told = from;
    begun.pace = request.pace;
    begun.streams = request.streams;
    // One that was frozen is judged by its prober; meanwhile its slots count for nobody.
    if (works_.size() > slots_ && !was_frozen_) {
        hub_.referee.broken(fmt::format(
            "node {}: an engine of {} slots works on {} requests", node_, slots_, works_.size()
        ));
    }
    const Duration whole = request.prompt + request.pace * request.pieces;
    later(request.streams ? request.prompt : whole, [this, work] { go_on(work); });
    return true;
}

void EngineProcess::go_on(std::uint64_t work) {
    const auto found = works_.find(work);
    if (found == works_.end() || found->second.abandoned) {
        return;
    }
    Work& going = found->second;
    if (going.streams && going.told < going.pieces) {
        going.listener.on_piece(going.told++);
        later(going.pace, [this, work] { go_on(work); });
        return;
    }
    const auto on_end = std::move(going.listener.on_end);
    works_.erase(found);
    on_end();
    leave_if_asked();
}

void EngineProcess::abandon(std::uint64_t work) {
    const auto found = works_.find(work);
    if (found == works_.end()) {
        return;
    }
    found->second.abandoned = true;
    const Duration batch =
        found->second.streams ? Duration(20ms) : Duration(hub_.chance.between(100ms, 1200ms));
    later(batch, [this, work] {
        works_.erase(work);
        leave_if_asked();
    });
}

// llama-server waits for its clients at the first SIGTERM and ends at the second.
void EngineProcess::signal(bool forcibly) {
    if (state_ == State::gone) {
        return;
    }
    if (forcibly) {
        hub_.heap.after(5ms, [this, alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) {
                die();
            }
        });
        return;
    }
    later(Duration{}, [this] {
        ++terms_;
        leave_if_asked();
    });
}

void EngineProcess::leave_if_asked() {
    if (terms_ > 1 || (terms_ == 1 && works_.empty())) {
        later(hub_.chance.between(10ms, 400ms), [this] { die(); });
    }
}

void EngineProcess::die() {
    if (state_ == State::gone) {
        return;
    }
    hub_.note("an engine ends", node_, static_cast<std::uint64_t>(pid_));
    state_ = State::gone;
    for (auto& [id, work] : std::exchange(works_, {})) {
        if (!work.abandoned) {
            work.listener.on_cut();
        }
    }
    if (on_exit) {
        on_exit();
    }
}

void EngineProcess::freeze(bool frozen) {
    frozen_ = frozen;
    was_frozen_ = true;
    if (!frozen) {
        for (auto& act : std::exchange(held_, {})) {
            later(Duration{}, std::move(act));
        }
    }
}

}  // namespace orch::sim::world
