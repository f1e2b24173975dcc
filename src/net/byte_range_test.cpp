#include "net/byte_range.hpp"

#include <gtest/gtest.h>

namespace orch::net {
namespace {

constexpr Bytes kSize = 100;

std::optional<ByteRange> range_of(std::string_view header, Bytes size = kSize) {
    const auto asked = parse_byte_range(header, size);
    const auto* const range = std::get_if<ByteRange>(&asked);
    return range == nullptr ? std::nullopt : std::optional(*range);
}

bool is_outside(std::string_view header, Bytes size = kSize) {
    return std::holds_alternative<RangeOutsideBody>(parse_byte_range(header, size));
}

bool is_whole(std::string_view header, Bytes size = kSize) {
    return std::holds_alternative<WholeBody>(parse_byte_range(header, size));
}

TEST(ByteRange, ReadsTheThreeForms) {
    EXPECT_EQ(range_of("bytes=0-9"), (ByteRange{0, 9}));
    EXPECT_EQ(range_of("bytes=90-"), (ByteRange{90, 99}));
    EXPECT_EQ(range_of("bytes=-10"), (ByteRange{90, 99}));
    EXPECT_EQ(range_of("Bytes = 5 - 6"), (ByteRange{5, 6}));
}

TEST(ByteRange, IsCutAtTheBodysEnd) {
    EXPECT_EQ(range_of("bytes=90-1000"), (ByteRange{90, 99}));
    EXPECT_EQ(range_of("bytes=-1000"), (ByteRange{0, 99}));
    EXPECT_EQ(range_of("bytes=99-99")->length(), 1U);
}

TEST(ByteRange, OutsideTheBodyIsRefused) {
    EXPECT_TRUE(is_outside("bytes=100-"));
    EXPECT_TRUE(is_outside("bytes=100-200"));
    EXPECT_TRUE(is_outside("bytes=-0"));
    EXPECT_TRUE(is_outside("bytes=0-", 0));
    EXPECT_TRUE(is_outside("bytes=-5", 0));
}

TEST(ByteRange, WhatIsNotUnderstoodIsIgnored) {
    for (const char* const header :
         {"",
          "bytes",
          "bytes=",
          "bytes=-",
          "items=0-9",
          "bytes=9-0",
          "bytes=a-b",
          "bytes=0-9,20-29",
          "bytes=+1-2",
          "bytes=0x1-2",
          "bytes=1-2-3",
          "bytes=99999999999999999999-",
          "-",
          "=-"}) {
        EXPECT_TRUE(is_whole(header)) << header;
    }
}

TEST(ByteRange, ContentRangeIsWrittenAndRead) {
    EXPECT_EQ(content_range({5, 9}, kSize), "bytes 5-9/100");
    EXPECT_EQ(first_byte_of("bytes 5-9/100"), 5U);
    EXPECT_EQ(first_byte_of("bytes 5-9/*"), 5U);
    for (const char* const bad : {"", "bytes */100", "bytes -5/9", "items 1-2/3", "bytes5-9"}) {
        EXPECT_FALSE(first_byte_of(bad)) << bad;
    }
}

}  // namespace
}  // namespace orch::net
