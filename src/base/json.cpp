#include "base/json.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <fmt/format.h>

namespace orch::json {

Result<bj::value> parse(std::string_view text) {
    bj::parse_options options;
    options.max_depth = kMaxDepth;
    bj::error_code failure;
    bj::stream_parser parser({}, options);
    const std::size_t used = parser.write_some(text.data(), text.size(), failure);
    if (!failure && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
        failure = bj::error::extra_data;
    }
    if (!failure) {
        parser.finish(failure);
    }
    if (failure) {
        return fail(
            Errc::invalid_params,
            fmt::format("the text is not valid JSON: {} near byte {}", failure.message(), used)
        );
    }
    return parser.release();
}

std::string serialize(const bj::value& value) {
    return bj::serialize(value);
}

namespace detail {

std::unexpected<Error> mismatch(const std::string& path, std::string_view wanted) {
    return fail(
        Errc::invalid_params,
        fmt::format("{}: must be {}", path.empty() ? "the body" : path.c_str(), wanted)
    );
}

std::unexpected<Error> out_of_range(const std::string& path, std::int64_t low, std::uint64_t high) {
    return mismatch(path, fmt::format("an integer from {} to {}", low, high));
}

std::optional<std::int64_t> as_signed(const bj::value& value) {
    bj::error_code failure;
    const auto number = value.to_number<std::int64_t>(failure);
    return failure ? std::nullopt : std::optional(number);
}

std::optional<std::uint64_t> as_unsigned(const bj::value& value) {
    bj::error_code failure;
    const auto number = value.to_number<std::uint64_t>(failure);
    return failure ? std::nullopt : std::optional(number);
}

std::string join(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

}  // namespace detail
}  // namespace orch::json
