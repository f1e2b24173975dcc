#include "auth/token_ring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace orch::auth {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kOld = "old-token-0123456789";
constexpr std::string_view kNew = "new-token-0123456789";
constexpr std::string_view kThird = "third-token-012345678";
constexpr Duration kGrace = seconds(60);

TokenSet set_of(std::initializer_list<std::string_view> tokens) {
    TokenSet set;
    for (const std::string_view token : tokens) {
        set.add(token);
    }
    return set;
}

struct TokenRingTest : testing::Test {
    bool valid(std::string_view token) const { return ring.match(token, now).has_value(); }

    TokenChange replace(std::initializer_list<std::string_view> tokens, Duration grace = kGrace) {
        return ring.replace(set_of(tokens), grace, now);
    }

    TokenRing ring{set_of({kOld})};
    Instant now{seconds(1000)};
};

TEST_F(TokenRingTest, NamesTheTokenThatMatched) {
    EXPECT_EQ(ring.match(kOld, now), fp6(kOld));
    EXPECT_FALSE(valid(kNew));
    EXPECT_FALSE(valid(""));
}

TEST_F(TokenRingTest, TellsWhatARotationDid) {
    const TokenChange added = replace({kOld, kNew});
    EXPECT_THAT(added.added, ElementsAre(fp6(kNew)));
    EXPECT_THAT(added.removed, IsEmpty());
    const TokenChange removed = replace({kNew});
    EXPECT_THAT(removed.added, IsEmpty());
    EXPECT_THAT(removed.removed, ElementsAre(fp6(kOld)));
    EXPECT_TRUE(replace({kNew}).empty());
}

TEST_F(TokenRingTest, KeepsARemovedTokenForItsGraceAndNotLonger) {
    replace({kNew});
    EXPECT_TRUE(valid(kNew));
    now += kGrace - Duration(1);
    EXPECT_TRUE(valid(kOld));
    now += Duration(1);
    EXPECT_FALSE(valid(kOld));
    EXPECT_TRUE(valid(kNew));
}

TEST_F(TokenRingTest, RemovesAtOnceWithoutGrace) {
    replace({kNew}, Duration::zero());
    EXPECT_FALSE(valid(kOld));
    EXPECT_TRUE(valid(kNew));
}

TEST_F(TokenRingTest, LaterRotationsDoNotProlongAGrace) {
    replace({kNew});
    now += seconds(40);
    replace({kThird});
    now += seconds(20);
    EXPECT_FALSE(valid(kOld));
    EXPECT_TRUE(valid(kNew));
    EXPECT_TRUE(valid(kThird));
}

TEST_F(TokenRingTest, ATokenThatComesBackIsValidWithoutEnd) {
    replace({kNew});
    replace({kOld, kNew});
    now += 2 * kGrace;
    EXPECT_TRUE(valid(kOld));
}

TEST_F(TokenRingTest, ForgetsWhoseGraceIsOver) {
    replace({kNew});
    EXPECT_EQ(ring.retired(), 1U);
    now += kGrace;
    replace({kNew});
    EXPECT_EQ(ring.retired(), 0U);
}

}  // namespace
}  // namespace orch::auth
