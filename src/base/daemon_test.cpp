#include "base/daemon.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace orch {
namespace {

TEST(Daemon, RaisesTheLimitOfOpenFilesAsFarAsItMayGo) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit low = before;
    low.rlim_cur = 128;
    ASSERT_LT(low.rlim_cur, low.rlim_max);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);

    EXPECT_TRUE(raise_file_limit());
    rlimit after{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
    EXPECT_EQ(after.rlim_cur, before.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace orch
