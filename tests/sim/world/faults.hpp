#pragma once

#include "sim/world/hub.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace orch::sim::world {

// What goes wrong in a world, by chance, each with its own end.
class Faults {
public:
    explicit Faults(Hub& hub) : hub_(hub) {}

    // From now on, until the hub is calm.
    void begin();

    // Everything heals.
    void end();

    const std::array<std::uint64_t, kFaults>& counts() const { return counts_; }

private:
    void next();
    void strike(Fault fault);
    void strike_engine(NodeHost& host, Fault fault);
    void strike_daemon(NodeHost& host, Fault fault);
    void strike_control(Fault fault);
    void strike_network(std::size_t node, Fault fault);
    void strike_node(NodeHost& host, Fault fault);
    void restart_control();
    void until(Duration span, std::function<void()> heal);

    Hub& hub_;
    std::array<std::uint64_t, kFaults> counts_{};
    std::vector<NodeId> cordons_;  // kept over a control plane's restart
};

}  // namespace orch::sim::world
