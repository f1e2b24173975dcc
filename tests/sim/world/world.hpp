#pragma once

#include "sim/world/faults.hpp"
#include "sim/world/hub.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace orch::sim::world {

// What a run came to.
struct Outcome {
    std::uint64_t events = 0;
    std::uint64_t digest = 0;  // equal for equal options
    std::uint64_t requests = 0;
    std::array<std::uint64_t, kEndings> endings{};
    std::array<std::uint64_t, kFaults> faults{};
    std::uint64_t lost = 0;             // messages
    std::uint64_t doubled = 0;          // messages
    std::uint64_t late = 0;             // messages
    std::uint64_t continued = 0;        // answers, each time
    std::uint64_t held_back = 0;        // second tries, by the budget
    std::optional<std::string> broken;  // the rule, in a sentence
    std::string last_events;            // when one is broken

    void add(const Outcome& other);  // the counts of another run
};

// A cluster, its clients and its bad luck, from an empty start through a time of faults to rest.
// The rules are looked at as it goes; the first one broken ends it.
class World {
public:
    explicit World(const Options& options);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    Outcome run();

private:
    void make_request(std::size_t id);
    void next_arrival();
    void arrive(Request& request);
    void look();
    void settle();
    std::optional<std::string> find_unrest() const;
    bool run_until(Instant end);
    void pump();

    Hub hub_;
    Faults faults_;
    std::size_t arrived_ = 0;
};

}  // namespace orch::sim::world
