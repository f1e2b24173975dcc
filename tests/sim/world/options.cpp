#include "sim/world/options.hpp"

#include "sim/world/chance.hpp"

namespace orch::sim::world {

using namespace std::chrono_literals;

Options small(std::uint64_t seed) {
    Chance chance(seed * 0x9e3779b97f4a7c15ULL);
    Options options;
    options.seed = seed;
    options.nodes = chance.between(std::size_t{1}, std::size_t{7});
    options.models = chance.between(std::size_t{1}, std::size_t{3});
    options.edges = chance.between(std::size_t{1}, std::size_t{3});
    options.slots = static_cast<std::uint32_t>(chance.between(std::size_t{1}, std::size_t{4}));
    options.replicas = static_cast<std::uint32_t>(chance.between(std::size_t{1}, std::size_t{2}));
    options.pools = chance.between(std::size_t{1}, std::size_t{2});
    options.requests = chance.between(std::size_t{50}, std::size_t{300});
    options.between_faults = chance.between(4s, 20s);
    options.queue = chance.between(std::size_t{4}, std::size_t{40});
    options.queue_timeout = chance.between(5s, 60s);
    options.retry_budget.floor =
        static_cast<std::uint32_t>(chance.between(std::size_t{1}, std::size_t{20}));
    options.on_demand = chance.yes(0.3);
    return options;
}

Options large(std::uint64_t seed) {
    Options options;
    options.seed = seed;
    options.nodes = 1000;
    options.models = 20;
    options.edges = 4;
    options.slots = 4;
    options.requests = 100'000;
    options.load = 10min;
    options.between_faults = 250ms;
    options.sample = 1s;
    options.queue = 100;
    return options;
}

}  // namespace orch::sim::world
