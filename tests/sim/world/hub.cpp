#include "sim/world/hub.hpp"

#include "sim/world/control_plane.hpp"
#include "sim/world/node_host.hpp"

#include <fmt/format.h>

namespace orch::sim::world {

Hub::Hub(const Options& wanted)
    : options(wanted),
      chance(wanted.seed),
      trace(wanted.verbose),
      network(heap, chance, wanted.nodes) {}

Hub::~Hub() = default;

void Hub::end(Request& request, Ending ending) {
    note(kEndingNames[static_cast<std::size_t>(ending)], request.id);
    if (request.ending) {
        referee.broken(fmt::format("request {} ended twice", request.id));
    }
    request.ending = ending;
    ++endings[static_cast<std::size_t>(ending)];
}

std::size_t Hub::number_of(const NodeId& node) {
    return static_cast<std::size_t>(std::stoul(node.str().substr(1)));
}

}  // namespace orch::sim::world
