#include "sim/world/network.hpp"

#include <algorithm>
#include <utility>

namespace orch::sim::world {

using std::chrono::microseconds;

Duration Network::delay(const Link& link) {
    return chance_.between(microseconds(80), microseconds(1500)) + link.weather.slowness;
}

void Network::send(std::size_t node, Way way, const EventHeap::Act& arrive) {
    Link& link = links_[node];
    const Weather& weather = link.weather;
    if (link.cut[index(way)] || chance_.yes(weather.loss)) {
        ++lost_;
        return;
    }
    Duration delayed = delay(link);
    if (chance_.yes(weather.late)) {
        ++late_;
        delayed += chance_.between(Duration{}, weather.lateness);
    }
    heap_.after(delayed, arrive);
    if (chance_.yes(weather.doubled)) {
        ++doubled_;
        heap_.after(delayed + chance_.between(Duration{}, weather.lateness), arrive);
    }
}

void Network::send(
    const std::shared_ptr<Stream>& stream, std::size_t node, Way way, EventHeap::Act arrive
) {
    Link& link = links_[node];
    if (link.cut[index(way)]) {
        link.held[index(way)].push_back({stream, std::move(arrive)});
        return;
    }
    Instant& last = stream->last[index(way)];
    last = std::max(last + Duration(1), heap_.now() + delay(link));
    heap_.at(last, std::move(arrive));
}

void Network::cut(std::size_t node, Way way) {
    links_[node].cut[index(way)] = true;
}

void Network::heal(std::size_t node, Way way) {
    Link& link = links_[node];
    link.cut[index(way)] = false;
    for (Held& held : std::exchange(link.held[index(way)], {})) {
        send(held.stream, node, way, std::move(held.arrive));
    }
}

}  // namespace orch::sim::world
