#pragma once

#include "base/clock.hpp"
#include "engine/sse.hpp"
#include "engine/usage.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace orch::control::gateway {

// Measures one answer while it passes by: when its tokens came and how many they were. Pure.
class AnswerMeter {
public:
    // An event of a stream, when it came.
    void event(const engine::Event& event, Instant now);

    // An answer that is no stream.
    void whole(std::string_view body);

    // Totals that no event tells.
    void total(const engine::Usage& usage) { usage_.update(usage); }

    // Token events seen so far.
    std::uint64_t tokens() const { return tokens_; }

    // As the engine counts them; generated ones that it does not count are those seen.
    engine::Usage usage() const;

    std::optional<Instant> first_token() const { return first_token_; }

    // From the first token to the end of a stream that is complete.
    std::optional<Duration> decode_time() const;

private:
    engine::Usage usage_;
    std::uint64_t tokens_ = 0;
    std::optional<Instant> first_token_;
    std::optional<Instant> end_;
};

}  // namespace orch::control::gateway
