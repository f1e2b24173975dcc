#include "base/state_dir.hpp"

#include <gtest/gtest.h>

namespace orch {
namespace {

TEST(StateDir, RootUsesTheSystemsFolder) {
    EXPECT_EQ(default_state_dir("pool-managerd", {}, true), "/var/lib/llama-orch/pool-managerd");
}

TEST(StateDir, AUserHasAFolderBelowHome) {
    EXPECT_EQ(
        default_state_dir("pool-managerd", {{"HOME", "/srv/ada"}}, false),
        "/srv/ada/.local/state/llama-orch/pool-managerd"
    );
}

TEST(StateDir, XdgStateHomeWins) {
    EXPECT_EQ(
        default_state_dir("x", {{"HOME", "/srv/ada"}, {"XDG_STATE_HOME", "/s"}}, false),
        "/s/llama-orch/x"
    );
}

}  // namespace
}  // namespace orch
