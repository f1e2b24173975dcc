#include "sim/world/world.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

// orch_sim [--large] FIRST[-LAST]: worlds by seed. One seed alone is told event by event.
namespace {

using namespace orch::sim::world;

struct Seeds {
    std::uint64_t first = 1;
    std::uint64_t last = 1;
    bool range = false;
};

Seeds parse(const std::string& text) {
    Seeds seeds;
    char* end = nullptr;
    seeds.first = std::strtoull(text.c_str(), &end, 10);
    seeds.last = seeds.first;
    if (*end == '-') {
        seeds.range = true;
        seeds.last = std::strtoull(end + 1, &end, 10);
    }
    if (text.empty() || *end != '\0' || seeds.last < seeds.first) {
        fmt::print(stderr, "SEEDS is FIRST-LAST or one number, not \"{}\"\n", text);
        std::exit(2);
    }
    return seeds;
}

void print_counts(const Outcome& all) {
    fmt::print("requests:");
    for (std::size_t i = 0; i < kEndings; ++i) {
        fmt::print(" {} {}{}", all.endings[i], kEndingNames[i], i + 1 < kEndings ? "," : "\n");
    }
    fmt::print(
        "answers continued: {}, second tries over budget: {}\n", all.continued, all.held_back
    );
    fmt::print("faults:");
    for (std::size_t i = 0; i < kFaults; ++i) {
        fmt::print(" {} {},", all.faults[i], kFaultNames[i]);
    }
    fmt::print(" messages: {} lost, {} doubled, {} late\n", all.lost, all.doubled, all.late);
}

int run(const Seeds& seeds, bool is_large) {
    Outcome all;
    for (std::uint64_t seed = seeds.first; seed <= seeds.last; ++seed) {
        Options options = is_large ? large(seed) : small(seed);
        options.verbose = !seeds.range && !is_large;
        const Outcome outcome = World(options).run();
        if (outcome.broken) {
            fmt::print(
                "{}\nseed {} breaks a rule: {}\nmake sim SEEDS={} replays it{}\n",
                options.verbose ? "" : outcome.last_events,
                seed,
                *outcome.broken,
                seed,
                is_large ? " with SIZE=large" : ""
            );
            return 1;
        }
        if (seeds.first == seeds.last) {
            fmt::print("digest {:016x}\n", outcome.digest);
        }
        all.add(outcome);
    }
    fmt::print(
        "seeds {}-{}: {} events, {} requests, no rule broken\n",
        seeds.first,
        seeds.last,
        all.events,
        all.requests
    );
    print_counts(all);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    bool is_large = false;
    std::string seeds;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--large") {
            is_large = true;
        } else {
            seeds = word;
        }
    }
    return run(parse(seeds), is_large);
}
