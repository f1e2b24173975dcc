#pragma once

#include "base/bytes.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace orch::net {

// Bytes first to last, both included (RFC 9110 14.1).
struct ByteRange {
    Bytes first = 0;
    Bytes last = 0;

    Bytes length() const { return last - first + 1; }

    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct WholeBody {};  // no Range, or one that may be ignored: other units, several ranges

struct RangeOutsideBody {};  // nothing of it exists: 416

// What a Range header asks of a body of `size` bytes; "" = no header. Pure.
std::variant<WholeBody, ByteRange, RangeOutsideBody> parse_byte_range(
    std::string_view header, Bytes size
);

// "bytes 0-9/100": the Content-Range of a 206.
std::string content_range(const ByteRange& range, Bytes size);

// The first byte of a 206's Content-Range; nothing when it cannot be read.
std::optional<Bytes> first_byte_of(std::string_view content_range);

}  // namespace orch::net
