#include "control/app/profile.hpp"

#include <gtest/gtest.h>

namespace orch::control::app {
namespace {

TEST(Profile, NothingSetIsHomeOnLoopback) {
    const ProfileChoice choice = decide_profile(std::nullopt, std::nullopt);
    EXPECT_EQ(choice.profile, Profile::home);
    EXPECT_EQ(choice.bind, (HostPort{"127.0.0.1", 8080}));
    EXPECT_EQ(choice.reason, "no address is set");
}

TEST(Profile, AnAddressThatOthersReachIsCloud) {
    const ProfileChoice choice = decide_profile(std::nullopt, HostPort{"0.0.0.0", 8080});
    EXPECT_EQ(choice.profile, Profile::cloud);
    EXPECT_EQ(choice.reason, "the address is reachable from other machines");
}

TEST(Profile, ALoopbackAddressStaysHome) {
    EXPECT_EQ(decide_profile(std::nullopt, HostPort{"127.0.0.1", 9}).profile, Profile::home);
    EXPECT_EQ(decide_profile(std::nullopt, HostPort{"localhost", 9}).profile, Profile::home);
}

TEST(Profile, TrueWithoutAnAddressListensToEverybody) {
    const ProfileChoice choice = decide_profile(true, std::nullopt);
    EXPECT_EQ(choice.profile, Profile::cloud);
    EXPECT_EQ(choice.bind, (HostPort{"0.0.0.0", 8080}));
}

TEST(Profile, TrueKeepsALoopbackAddress) {
    const ProfileChoice choice = decide_profile(true, HostPort{"127.0.0.1", 0});
    EXPECT_EQ(choice.profile, Profile::cloud);
    EXPECT_EQ(choice.bind, (HostPort{"127.0.0.1", 0}));
}

TEST(Profile, FalseWithAnAddressForOthersIsHomeForTheLan) {
    const ProfileChoice choice = decide_profile(false, HostPort{"0.0.0.0", 8080});
    EXPECT_EQ(choice.profile, Profile::home);
    EXPECT_EQ(choice.bind, (HostPort{"0.0.0.0", 8080}));
}

}  // namespace
}  // namespace orch::control::app
