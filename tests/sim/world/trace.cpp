#include "sim/world/trace.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orch::sim::world {

// FNV-1a over words.
void Trace::mix(std::uint64_t word) {
    digest_ = (digest_ ^ word) * 0x100000001b3ULL;
    digest_ ^= digest_ >> 29U;
}

void Trace::note(Instant now, std::string_view what, std::uint64_t a, std::uint64_t b) {
    const Line line{now, what, a, b};
    mix(static_cast<std::uint64_t>(now.time_since_epoch().count()));
    for (const char letter : what) {
        mix(static_cast<unsigned char>(letter));
    }
    mix(a);
    mix(b);
    lines_[noted_++ % kKept] = line;
    if (verbose_) {
        fmt::print("{}\n", text_of(line));
    }
}

std::string Trace::text_of(const Line& line) {
    const double seconds = std::chrono::duration<double>(line.at.time_since_epoch()).count();
    return fmt::format("{:14.6f}  {:<34} {:>6} {:>8}", seconds, line.what, line.a, line.b);
}

std::string Trace::last_lines() const {
    std::string text;
    for (std::size_t i = noted_ - std::min(noted_, kKept); i < noted_; ++i) {
        text += text_of(lines_[i % kKept]) + "\n";
    }
    return text;
}

}  // namespace orch::sim::world
