#include "auth/tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kGood = "0123456789abcdef";
constexpr std::string_view kOther = "fedcba9876543210";

TEST(TokenFingerprint, IsTheFirstSixHexDigitsOfSha256) {
    EXPECT_EQ(fp6("abc"), "ba7816");
}

TEST(TokenSet, MatchesExactlyTheTokensAdded) {
    TokenSet set;
    EXPECT_TRUE(set.empty());
    EXPECT_FALSE(set.match(kGood));
    EXPECT_FALSE(set.match(""));
    set.add(kGood);
    set.add(kOther);
    set.add(kGood);
    EXPECT_EQ(set.match(kGood), fp6(kGood));
    EXPECT_EQ(set.match(kOther), fp6(kOther));
    EXPECT_FALSE(set.match("0123456789abcde"));
    EXPECT_FALSE(set.match("0123456789abcdef "));
    EXPECT_THAT(set.fingerprints(), ElementsAre(fp6(kGood), fp6(kOther)));
}

TEST(TokenSet, ComparesEveryByteOfADigest) {
    TokenSet set;
    set.add(kGood);
    const Sha256Digest digest = sha256(kGood);
    ASSERT_TRUE(set.contains(digest));
    for (std::size_t at = 0; at < digest.size(); ++at) {
        Sha256Digest changed = digest;
        changed[at] ^= 1;
        EXPECT_FALSE(set.contains(changed)) << at;
    }
}

TEST(TokenList, TakesSeveralAndSendsTheFirst) {
    const auto tokens = parse_token_list("0123456789abcdef, fedcba9876543210,", "T");
    ASSERT_TRUE(tokens);
    EXPECT_TRUE(tokens->accepted.match(kGood));
    EXPECT_TRUE(tokens->accepted.match(kOther));
    EXPECT_EQ(tokens->outbound.reveal(), kGood);
    EXPECT_TRUE(tokens->warnings.empty());
}

TEST(TokenList, WarnsBelowSixteenCharactersWithoutShowingTheToken) {
    const auto tokens = parse_token_list("dev-token", "LLORCH_API_TOKEN");
    ASSERT_TRUE(tokens);
    EXPECT_TRUE(tokens->accepted.match("dev-token"));
    ASSERT_EQ(tokens->warnings.size(), 1U);
    EXPECT_THAT(
        tokens->warnings[0], HasSubstr("LLORCH_API_TOKEN (token 1): token " + fp6("dev-token"))
    );
    EXPECT_THAT(tokens->warnings[0], HasSubstr("9 characters"));
    EXPECT_THAT(tokens->warnings[0], Not(HasSubstr("dev-token")));
}

TEST(TokenList, RefusesBelowEightCharactersWithoutShowingTheToken) {
    const auto tokens = parse_token_list("0123456789abcdef,short77", "LLORCH_API_TOKEN");
    ASSERT_FALSE(tokens);
    EXPECT_EQ(tokens.error().code, Errc::invalid_params);
    EXPECT_THAT(tokens.error().message, HasSubstr("LLORCH_API_TOKEN (token 2)"));
    EXPECT_THAT(tokens.error().message, HasSubstr("7 characters"));
    EXPECT_THAT(tokens.error().message, Not(HasSubstr("short77")));
    EXPECT_TRUE(parse_token_list("exactly8", "T"));
    EXPECT_TRUE(parse_token_list("fifteen-letters", "T")->warnings.size() == 1);
    EXPECT_TRUE(parse_token_list("sixteen--letters", "T")->warnings.empty());
}

TEST(TokenList, RefusesWhatCannotBeSentInAHeader) {
    for (const char* const bad :
         {"inner blank here", "caf\xC3\xA9-token-long", "tab\tinside-token"}) {
        const auto tokens = parse_token_list(bad, "T");
        ASSERT_FALSE(tokens) << bad;
        EXPECT_THAT(tokens.error().message, Not(HasSubstr(bad)));
    }
}

TEST(TokenList, RefusesAListWithoutTokens) {
    EXPECT_FALSE(parse_token_list("", "T"));
    EXPECT_FALSE(parse_token_list(" , ", "T"));
}

TEST(TokenFile, SkipsCommentsAndBlankLinesAndTakesWindowsLineEnds) {
    const auto tokens =
        parse_token_file("# old\r\n\r\n0123456789abcdef\r\n  # x\n fedcba9876543210", "t.txt");
    ASSERT_TRUE(tokens);
    EXPECT_EQ(tokens->outbound.reveal(), kGood);
    EXPECT_THAT(tokens->accepted.fingerprints(), ElementsAre(fp6(kGood), fp6(kOther)));
}

TEST(TokenFile, NamesFileAndLineOfABadToken) {
    const auto tokens = parse_token_file("# c\n0123456789abcdef\nab\n", "/etc/t.txt");
    ASSERT_FALSE(tokens);
    EXPECT_THAT(tokens.error().message, HasSubstr("/etc/t.txt:3: the token has 2 characters"));
}

TEST(TokenFile, RefusesAFileWithoutTokens) {
    const auto tokens = parse_token_file("# nothing\n", "/etc/t.txt");
    ASSERT_FALSE(tokens);
    EXPECT_THAT(tokens.error().message, HasSubstr("/etc/t.txt"));
}

TEST(MergedTokens, KeepTheFirstSourcesOutboundToken) {
    Tokens tokens;
    merge(tokens, *parse_token_list("dev-token", "A"));
    merge(tokens, *parse_token_list("0123456789abcdef", "B"));
    EXPECT_EQ(tokens.outbound.reveal(), "dev-token");
    EXPECT_TRUE(tokens.accepted.match(kGood));
    EXPECT_EQ(tokens.warnings.size(), 1U);
}

}  // namespace
}  // namespace orch::auth
