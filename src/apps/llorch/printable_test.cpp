#include "apps/llorch/printable.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

using Lines = std::vector<std::string>;

TEST(Printable, DisarmsEscapeSequences) {
    EXPECT_EQ(printable("a\x1b[31mb\a"), "a?[31mb?");
    EXPECT_EQ(
        printable("a\xc2\x9b"
                  "31mb"),
        "a?31mb"
    );
    EXPECT_EQ(printable("a\nb\tc"), "a b c");
}

TEST(Printable, KeepsTextOfAnyLanguageAndMendsTheRest) {
    EXPECT_EQ(printable("na\u00efve \u6a21"), "na\u00efve \u6a21");
    EXPECT_EQ(printable("a\xff"), "a\ufffd");
}

TEST(Printable, SplitsLinesAndLeavesOutEmptyOnes) {
    EXPECT_EQ(printable_lines("one  \r\n\n  two\n"), (Lines{"one", "  two"}));
    EXPECT_EQ(printable_lines(""), Lines{});
}

TEST(Printable, ClipsByCharacters) {
    EXPECT_EQ(clipped("abc", 3), "abc");
    EXPECT_EQ(clipped("\u00e9\u00e9\u00e9\u00e9", 3), "\u00e9\u00e9\u2026");
}

TEST(Printable, WrapsBetweenWordsAndKeepsTheMargin) {
    EXPECT_EQ(wrapped("  one two three", 9), (Lines{"  one two", "  three"}));
    EXPECT_EQ(wrapped("abcdefgh", 3), (Lines{"abc", "def", "gh"}));
    EXPECT_EQ(wrapped("", 3), Lines{""});
}

}  // namespace
}  // namespace orch::llorch
