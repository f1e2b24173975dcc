#include "node/inventory/machine.hpp"

#include <gtest/gtest.h>

namespace orch::node::inventory {
namespace {

TEST(Meminfo, ReadsTotalAndAvailable) {
    const auto memory = parse_meminfo(
        "MemTotal:       16302048 kB\nMemFree:          300000 kB\n"
        "MemAvailable:    9000000 kB\nMemTotalHuge:  1 kB\n"
    );
    ASSERT_TRUE(memory);
    EXPECT_EQ(memory->total, 16302048 * kKiB);
    EXPECT_EQ(memory->available, 9000000 * kKiB);
}

TEST(Meminfo, NamesTheLineThatIsMissing) {
    EXPECT_EQ(parse_meminfo("").error().message, "meminfo has no readable line MemTotal");
    EXPECT_EQ(
        parse_meminfo("MemTotal: 5 kB\n").error().message,
        "meminfo has no readable line MemAvailable"
    );
}

TEST(Meminfo, RefusesAmountsThatAreNone) {
    for (const char* value : {"", "5", "5 MB", "x kB", "-5 kB", "99999999999999999999 kB"}) {
        const std::string text = std::string("MemTotal: ") + value + "\nMemAvailable: 1 kB\n";
        EXPECT_FALSE(parse_meminfo(text)) << value;
    }
}

TEST(Cpuinfo, CountsLogicalProcessors) {
    EXPECT_EQ(
        parse_cpuinfo("processor\t: 0\nmodel name\t: x\n\nprocessor\t: 1\nprocessor_id: 7\n"), 2U
    );
    EXPECT_FALSE(parse_cpuinfo("model name: a processor of sorts\n"));
    EXPECT_FALSE(parse_cpuinfo(""));
}

}  // namespace
}  // namespace orch::node::inventory
