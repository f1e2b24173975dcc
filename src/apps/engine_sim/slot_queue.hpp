#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace orch::engine_sim {

// What GET /slots tells about one slot.
struct SlotRecord {
    bool busy = false;
    bool used = false;  // by any request since the start
    std::uint64_t task = 0;
    std::uint32_t prompt_tokens = 0;
    std::uint32_t decoded = 0;
    std::uint32_t left = 0;
};

// The engine's slots and the requests that wait for one, first come, first served, without any
// limit. One thread.
class SlotQueue {
public:
    // A request's claim: waits in the queue, then holds a slot, until it is destroyed.
    class Place {
    public:
        // `on_slot` is called if a slot comes later than now.
        Place(SlotQueue& queue, std::function<void()> on_slot);
        ~Place();
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

        bool has_slot() const { return slot_.has_value(); }

        std::size_t slot() const { return slot_.value_or(0); }

        // Requires: has_slot().
        SlotRecord& record() { return queue_.slots_[*slot_]; }

    private:
        friend class SlotQueue;

        SlotQueue& queue_;
        std::function<void()> on_slot_;
        std::optional<std::size_t> slot_;
    };

    explicit SlotQueue(std::uint32_t slots) : slots_(slots) {}

    const std::vector<SlotRecord>& slots() const { return slots_; }

    std::size_t waiting() const { return waiting_.size(); }

    bool all_busy() const;

private:
    void give_out();

    std::vector<SlotRecord> slots_;
    std::deque<Place*> waiting_;
};

}  // namespace orch::engine_sim
