#include "apps/engine_sim/slot_queue.hpp"

#include <algorithm>
#include <utility>

namespace orch::engine_sim {

SlotQueue::Place::Place(SlotQueue& queue, std::function<void()> on_slot) : queue_(queue) {
    queue_.waiting_.push_back(this);
    queue_.give_out();
    on_slot_ = std::move(on_slot);
}

SlotQueue::Place::~Place() {
    if (slot_) {
        queue_.slots_[*slot_].busy = false;
        queue_.give_out();
    } else {
        std::erase(queue_.waiting_, this);
    }
}

bool SlotQueue::all_busy() const {
    return std::ranges::all_of(slots_, &SlotRecord::busy);
}

void SlotQueue::give_out() {
    while (!waiting_.empty()) {
        const auto free = std::ranges::find(slots_, false, &SlotRecord::busy);
        if (free == slots_.end()) {
            return;
        }
        Place& next = *waiting_.front();
        waiting_.pop_front();
        *free = {.busy = true, .used = true};
        next.slot_ = static_cast<std::size_t>(free - slots_.begin());
        if (next.on_slot_) {
            next.on_slot_();
        }
    }
}

}  // namespace orch::engine_sim
