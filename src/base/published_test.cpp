#include "base/published.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace orch {
namespace {

TEST(Published, ShowsTheLatestAndKeepsWhatIsHeld) {
    Published<int> value(std::make_shared<const int>(1));
    const auto held = value.load();
    value.publish(std::make_shared<const int>(2));
    EXPECT_EQ(*held, 1);
    EXPECT_EQ(*value.load(), 2);
}

TEST(Published, ForgetsWhatNobodyHolds) {
    auto first = std::make_shared<const int>(1);
    const std::weak_ptr<const int> watched = first;
    Published<int> value(std::move(first));
    value.publish(std::make_shared<const int>(2));
    EXPECT_TRUE(watched.expired());
}

// Both halves of a snapshot always belong together, and time never goes back.
TEST(Published, IsReadWholeWhileItIsReplaced) {
    struct Pair {
        int a = 0;
        int b = 0;
    };

    constexpr int kVersions = 2000;
    Published<Pair> value(std::make_shared<const Pair>());
    std::atomic<bool> torn{false};
    const auto read = [&] {
        int last = 0;
        while (last != kVersions) {
            const auto seen = value.load();
            torn = torn || seen->a != seen->b || seen->a < last;
            last = seen->a;
        }
    };
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back(read);
    }
    for (int i = 1; i <= kVersions; ++i) {
        value.publish(std::make_shared<const Pair>(Pair{i, i}));
    }
    for (std::thread& reader : readers) {
        reader.join();
    }
    EXPECT_FALSE(torn);
}

}  // namespace
}  // namespace orch
