#pragma once

#include "base/clock.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace orch::sim::world {

// What happened, as a digest of everything and the last lines of it.
class Trace {
public:
    static constexpr std::size_t kKept = 60;

    explicit Trace(bool verbose) : verbose_(verbose) {}

    // `what` is a literal; `a` and `b` say whom: a node, a request.
    void note(Instant now, std::string_view what, std::uint64_t a = 0, std::uint64_t b = 0);

    // Equal for two runs in which the same happened at the same times.
    std::uint64_t digest() const { return digest_; }

    std::string last_lines() const;

private:
    struct Line {
        Instant at{};
        std::string_view what;
        std::uint64_t a = 0;
        std::uint64_t b = 0;
    };

    static std::string text_of(const Line& line);
    void mix(std::uint64_t word);

    bool verbose_;
    std::uint64_t digest_ = 0xcbf29ce484222325ULL;
    std::array<Line, kKept> lines_{};
    std::size_t noted_ = 0;
};

}  // namespace orch::sim::world
