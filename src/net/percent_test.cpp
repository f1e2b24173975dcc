#include "net/percent.hpp"

#include <gtest/gtest.h>

namespace orch::net {
namespace {

TEST(Percent, DecodesEscapesAndKeepsTheRest) {
    EXPECT_EQ(percent_decode("a%2Fb%20c+d"), "a/b c+d");
    EXPECT_EQ(percent_decode("%c3%A9"), "\xc3\xa9");
    EXPECT_EQ(percent_decode(""), "");
}

TEST(Percent, BrokenEscapesAndNulAreRefused) {
    for (const char* text : {"%", "%4", "%4g", "%g4", "a%00b", "%%41", "%-1", "% 1"}) {
        EXPECT_EQ(percent_decode(text), std::nullopt) << text;
    }
}

TEST(Query, FindsTheFirstValueOfAName) {
    EXPECT_EQ(query_value("a=1&b=2&a=3", "a"), "1");
    EXPECT_EQ(query_value("a=1&b=2", "b"), "2");
    EXPECT_EQ(query_value("aa=1&a=x%3Dy%26z", "a"), "x=y&z");
    EXPECT_EQ(query_value("name=two+words%2B", "name"), "two words+");
    EXPECT_EQ(query_value("a=b=c", "a"), "b=c");
}

TEST(Query, ABareNameIsEmptyAndAnAbsentOrBrokenOneIsNothing) {
    EXPECT_EQ(query_value("stream&x=1", "stream"), "");
    EXPECT_EQ(query_value("x=1", "stream"), std::nullopt);
    EXPECT_EQ(query_value("", "stream"), std::nullopt);
    EXPECT_EQ(query_value("&&x=%zz&", "x"), std::nullopt);
}

}  // namespace
}  // namespace orch::net
