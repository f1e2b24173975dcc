#include "engine/usage.hpp"

#include "engine/json_scan.hpp"

#include <charconv>

namespace orch::engine {
namespace {

using Count = std::optional<std::uint64_t>;

Count count_at(std::string_view json, std::string_view quoted_key) {
    const std::string_view value = value_of(json, quoted_key);
    std::uint64_t count = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), count);
    return read.ec == std::errc{} ? Count(count) : std::nullopt;
}

Count first_of(std::string_view json, std::string_view one, std::string_view other) {
    const Count count = count_at(json, one);
    return count ? count : count_at(json, other);
}

}  // namespace

void Usage::update(const Usage& later) {
    tokens_in = later.tokens_in ? later.tokens_in : tokens_in;
    tokens_out = later.tokens_out ? later.tokens_out : tokens_out;
}

Usage read_usage(std::string_view json) {
    if (const std::string_view usage = value_of(json, "\"usage\""); usage.starts_with('{')) {
        return {
            first_of(usage, "\"prompt_tokens\"", "\"input_tokens\""),
            first_of(usage, "\"completion_tokens\"", "\"output_tokens\""),
        };
    }
    const std::string_view timings = value_of(json, "\"timings\"");
    const Count cached = count_at(timings, "\"cache_n\"");
    const Count evaluated = count_at(timings, "\"prompt_n\"");
    return {
        evaluated ? Count(*evaluated + cached.value_or(0)) : std::nullopt,
        count_at(timings, "\"predicted_n\""),
    };
}

}  // namespace orch::engine
