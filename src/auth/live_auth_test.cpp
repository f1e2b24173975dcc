#include "auth/live_auth.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace orch::auth {
namespace {

using std::chrono::seconds;

constexpr const char* kOld = "old-token-0123456789";
constexpr const char* kNew = "new-token-0123456789";
constexpr const char* kHome = "home-token-0123456789";

AuthPolicy policy_with(const char* token) {
    AuthPolicy policy;
    policy.tokens.add(token);
    return policy;
}

Tokens tokens(std::string_view list) {
    return *parse_token_list(list, "T");
}

bool admits(const LiveAuth& live, std::string token, Instant now) {
    token = "Bearer " + token;
    RequestAuth request;
    request.authorization = token;
    request.now = now;
    return decide(*live.policy(), request).has_value();
}

TEST(LiveAuth, RotatesInThreeStepsWithoutAMomentInWhichPeersDisagree) {
    const Instant now{seconds(10)};
    LiveAuth live(policy_with(kOld), kOld);
    live.rotate(tokens("old-token-0123456789,new-token-0123456789"), seconds(60), now);
    EXPECT_EQ(live.outbound().text(), kOld);
    EXPECT_TRUE(admits(live, kNew, now));
    live.rotate(tokens("new-token-0123456789,old-token-0123456789"), seconds(60), now);
    EXPECT_EQ(live.outbound().text(), kNew);
    EXPECT_TRUE(admits(live, kOld, now));
    live.rotate(tokens(kNew), seconds(60), now);
    EXPECT_TRUE(admits(live, kOld, now + seconds(59)));
    EXPECT_FALSE(admits(live, kOld, now + seconds(60)));
    EXPECT_TRUE(admits(live, kNew, now + seconds(60)));
}

TEST(LiveAuth, KeepsTheTokenOfTheNodeInTheSameProcess) {
    AuthPolicy policy = policy_with(kOld);
    policy.home_node_tokens.add(kHome);
    LiveAuth live(std::move(policy), kHome);
    live.rotate(tokens(kNew), Duration::zero(), {});
    EXPECT_EQ(live.outbound().text(), kHome);
    EXPECT_TRUE(admits(live, kHome, {}));
    EXPECT_TRUE(admits(live, kNew, {}));
    EXPECT_FALSE(admits(live, kOld, {}));
}

TEST(LiveAuth, ASnapshotStaysAsItWas) {
    LiveAuth live(policy_with(kOld), kOld);
    const auto before = live.policy();
    live.rotate(tokens(kNew), Duration::zero(), {});
    EXPECT_TRUE(before->tokens.match(kOld, {}));
    EXPECT_FALSE(live.policy()->tokens.match(kOld, {}));
}

}  // namespace
}  // namespace orch::auth
