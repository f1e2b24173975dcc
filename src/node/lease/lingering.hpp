#pragma once

#include "base/log.hpp"
#include "net/edge.hpp"
#include "node/lease/lease.hpp"

#include <list>
#include <map>
#include <string>

namespace orch::node::lease {

// Leases of clients that left. llama-server goes on for a while: a stream until its batch ends, any
// other request until a second without results has passed, so the slot is not free yet. Such a
// lease is kept until the engine's busy slots are no more than the relays that still run. The
// edge's thread.
class Lingering {
public:
    // A stream is cancelled within milliseconds; polling /slots more often than every 2 s would
    // keep abandoned requests running.
    static constexpr Duration kFirstLook = std::chrono::milliseconds(300);
    static constexpr Duration kNextLook = std::chrono::milliseconds(2100);

    Lingering(net::Edge& edge, Logger log) : edge_(edge), log_(std::move(log)) {}

    // Releases the lease at once where the engine cannot be asked for its slots.
    void add(Lease lease);

private:
    struct Watched {
        std::list<Lease> leases;
        bool watching = false;
    };

    Task<void> watch(std::string url);
    Task<std::optional<std::uint32_t>> busy_slots(std::string url);
    void release_idle(Watched& watched, std::uint32_t busy);

    net::Edge& edge_;
    Logger log_;
    std::map<std::string, Watched> by_url_;
};

}  // namespace orch::node::lease
