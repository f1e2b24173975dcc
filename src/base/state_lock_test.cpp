#include "base/state_lock.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <optional>
#include <string>

namespace orch {
namespace {

struct StateLockTest : testing::Test {
    std::filesystem::path folder;

    StateLockTest() {
        std::string name = (std::filesystem::temp_directory_path() / "orch-lock-XXXXXX").string();
        folder = mkdtemp(name.data());
    }

    ~StateLockTest() override { std::filesystem::remove_all(folder); }
};

TEST_F(StateLockTest, OneHolderAtATime) {
    const std::filesystem::path state = folder / "made" / "for it";
    auto first = lock_state_dir(state);
    ASSERT_TRUE(first.has_value()) << first.error().message;
    const auto second = lock_state_dir(state);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::conflict);
    EXPECT_NE(second.error().message.find(state.string()), std::string::npos);
}

TEST_F(StateLockTest, IsFreeWhenItsHolderIsGone) {
    std::optional<StateLock> holder(std::move(*lock_state_dir(folder)));
    StateLock moved = std::move(*holder);
    holder.reset();
    EXPECT_FALSE(lock_state_dir(folder).has_value());
    {
        const StateLock last = std::move(moved);
    }
    EXPECT_TRUE(lock_state_dir(folder).has_value());
}

TEST_F(StateLockTest, AFileInItsPlaceIsNamed) {
    const auto refused = lock_state_dir("/dev/null/state");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::internal);
    EXPECT_NE(refused.error().message.find("/dev/null/state"), std::string::npos);
}

}  // namespace
}  // namespace orch
