#include "sim/world/event_heap.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace orch::sim::world {

bool EventHeap::later(const Event& a, const Event& b) {
    return std::tie(a.when, a.ticket) > std::tie(b.when, b.ticket);
}

void EventHeap::at(Instant when, Act act) {
    events_.push_back({std::max(when, now_), ++tickets_, std::move(act)});
    std::ranges::push_heap(events_, &EventHeap::later);
}

bool EventHeap::step() {
    if (events_.empty()) {
        return false;
    }
    std::ranges::pop_heap(events_, &EventHeap::later);
    const Event event = std::move(events_.back());
    events_.pop_back();
    now_ = event.when;
    ++happened_;
    event.act();
    return true;
}

}  // namespace orch::sim::world
