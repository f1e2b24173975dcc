#include "net/byte_range.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace orch::net {
namespace {

constexpr std::string_view kUnit = "bytes";

// Digits only: from_chars would take no sign for an unsigned type, and no blanks.
std::optional<Bytes> number(std::string_view text) {
    Bytes value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    const bool whole = failure == std::errc{} && stop == end && !text.empty();
    return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

std::variant<WholeBody, ByteRange, RangeOutsideBody> parse_byte_range(
    std::string_view header, Bytes size
) {
    const std::size_t equals = header.find('=');
    const std::size_t dash = header.find('-', equals == std::string_view::npos ? 0 : equals);
    const bool ours = equals != std::string_view::npos && dash != std::string_view::npos &&
                      equal_ignoring_case(trimmed(header.substr(0, equals)), kUnit);
    if (!ours || header.contains(',')) {
        return WholeBody{};
    }
    const std::string_view from = trimmed(header.substr(equals + 1, dash - equals - 1));
    const std::string_view to = trimmed(header.substr(dash + 1));
    const auto first = number(from);
    const auto last = number(to);
    if (from.empty() && last) {  // the last so many bytes
        if (*last == 0 || size == 0) {
            return RangeOutsideBody{};
        }
        return ByteRange{size - std::min(*last, size), size - 1};
    }
    if (!first || (!last && !to.empty()) || (last && *last < *first)) {
        return WholeBody{};
    }
    if (*first >= size) {
        return RangeOutsideBody{};
    }
    return ByteRange{*first, std::min(last.value_or(size - 1), size - 1)};
}

std::string content_range(const ByteRange& range, Bytes size) {
    return fmt::format("{} {}-{}/{}", kUnit, range.first, range.last, size);
}

std::optional<Bytes> first_byte_of(std::string_view content_range) {
    const std::size_t blank = content_range.find(' ');
    const std::size_t dash = content_range.find('-');
    if (blank == std::string_view::npos || dash == std::string_view::npos || dash < blank ||
        !equal_ignoring_case(content_range.substr(0, blank), kUnit)) {
        return std::nullopt;
    }
    return number(content_range.substr(blank + 1, dash - blank - 1));
}

}  // namespace orch::net
