#pragma once

#include "base/clock.hpp"
#include "sim/world/chance.hpp"
#include "sim/world/event_heap.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace orch::sim::world {

enum class Way : std::uint8_t { to_node, to_control };

// One connection: what is sent on it arrives in order, if it arrives.
struct Stream {
    std::array<Instant, 2> last{};
};

// The network between the control plane and each node, in both directions apart.
class Network {
public:
    // How badly one link behaves.
    struct Weather {
        double loss = 0.002;
        double doubled = 0.002;
        double late = 0.01;  // overtaken by what is sent within `lateness`
        Duration lateness = std::chrono::milliseconds(800);
        Duration slowness{};  // on top of everything
    };

    Network(EventHeap& heap, Chance& chance, std::size_t nodes)
        : heap_(heap), chance_(chance), links_(nodes) {}

    // A message by itself: may be lost, doubled, late and overtaken.
    void send(std::size_t node, Way way, const EventHeap::Act& arrive);

    // Part of a connection: in order; what meets a cut link waits until it heals.
    void send(
        const std::shared_ptr<Stream>& stream, std::size_t node, Way way, EventHeap::Act arrive
    );

    void cut(std::size_t node, Way way);
    void heal(std::size_t node, Way way);

    void set_weather(std::size_t node, Weather weather) { links_[node].weather = weather; }

    bool is_cut(std::size_t node, Way way) const { return links_[node].cut[index(way)]; }

    std::uint64_t lost() const { return lost_; }

    std::uint64_t doubled() const { return doubled_; }

    std::uint64_t late() const { return late_; }

private:
    struct Held {
        std::shared_ptr<Stream> stream;
        EventHeap::Act arrive;
    };

    struct Link {
        std::array<bool, 2> cut{};
        std::array<std::vector<Held>, 2> held;
        Weather weather;
    };

    static std::size_t index(Way way) { return static_cast<std::size_t>(way); }

    Duration delay(const Link& link);

    EventHeap& heap_;
    Chance& chance_;
    std::vector<Link> links_;
    std::uint64_t lost_ = 0;
    std::uint64_t doubled_ = 0;
    std::uint64_t late_ = 0;
};

}  // namespace orch::sim::world
