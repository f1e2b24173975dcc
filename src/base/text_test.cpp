#include "base/text.hpp"

#include "base/utf8.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Text, IsTrimmedAtBothEnds) {
    EXPECT_EQ(trimmed(" \ta b\r\n"), "a b");
    EXPECT_EQ(trimmed(" \n"), "");
    EXPECT_EQ(trimmed(""), "");
}

TEST(Text, IsSplitKeepingEmptyParts) {
    EXPECT_THAT(split("a, b ,,c", ','), ElementsAre("a", "b", "", "c"));
    EXPECT_THAT(split("", ','), ElementsAre(""));
}

TEST(Text, HasLines) {
    EXPECT_THAT(lines_of("a\n\n b \n"), ElementsAre("a", "", " b "));
    EXPECT_THAT(lines_of("a"), ElementsAre("a"));
    EXPECT_THAT(lines_of(""), IsEmpty());
}

TEST(Text, IsEqualInEitherCase) {
    EXPECT_TRUE(equal_ignoring_case("Bearer", "bEARER"));
    EXPECT_FALSE(equal_ignoring_case("Bearer", "Bearer "));
}

TEST(Text, CountsEdits) {
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("abc", ""), 3U);
    EXPECT_EQ(edit_distance("abc", "abc"), 0U);
    EXPECT_EQ(nearest("--node-idd", {"--addr", "--node-id", "--node-timeout"}), "--node-id");
    EXPECT_EQ(nearest("x", {}), "");
}

TEST(Utf8, KnowsWellFormedText) {
    EXPECT_TRUE(valid_utf8(""));
    EXPECT_TRUE(valid_utf8("plain"));
    EXPECT_TRUE(valid_utf8("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF \xED\x9F\xBF"));
}

TEST(Utf8, KnowsMalformedText) {
    for (const char* const bad :
         {"\x80",
          "\xC3",
          "\xC0\xAF",
          "\xE0\x80\x80",
          "\xE2\x82",
          "\xED\xA0\x80",
          "\xF0\x80\x80\x80",
          "\xF4\x90\x80\x80",
          "\xF5\x80\x80\x80",
          "\xFF",
          "\xC3("}) {
        EXPECT_FALSE(valid_utf8(bad));
        EXPECT_TRUE(valid_utf8(to_valid_utf8(bad)));
        EXPECT_TRUE(to_valid_utf8(bad).contains("\xEF\xBF\xBD"));
    }
}

TEST(Utf8, ReplacesOnlyTheBadBytes) {
    EXPECT_EQ(to_valid_utf8("a\xFFz\xC3\xA9"), "a\xEF\xBF\xBDz\xC3\xA9");
    EXPECT_EQ(to_valid_utf8("\xC3("), "\xEF\xBF\xBD(");
}

TEST(Utf8, CutsAChunkAtAWholeCharacter) {
    const std::string_view euro = "a\xE2\x82\xAC";
    EXPECT_EQ(whole_utf8_prefix(euro), 4U);
    EXPECT_EQ(whole_utf8_prefix(euro.substr(0, 3)), 1U);
    EXPECT_EQ(whole_utf8_prefix(euro.substr(0, 2)), 1U);
    EXPECT_EQ(whole_utf8_prefix("a\xF0\x9F\x98"), 1U);
    EXPECT_EQ(whole_utf8_prefix(""), 0U);
    EXPECT_EQ(whole_utf8_prefix("a\xFF"), 2U);
    EXPECT_EQ(whole_utf8_prefix("\xE2("), 2U);
}

}  // namespace
}  // namespace orch
