#include "node/lifecycle/process_facts.hpp"

#include "base/rng.hpp"

#include <gtest/gtest.h>

#include <string>

namespace orch::node::lifecycle {
namespace {

constexpr std::string_view kStat =
    "4242 (llama-server) S 1 4242 4242 0 -1 4194560 1871 0 12 0 250 31 0 0 20 0 5 0 987654 "
    "163840000 8200 18446744073709551615 1 1 0 0 0 0 0 4096 16386 0 0 0 17 1 0 0 0 0 0\n";

ProcessFacts facts(char state, std::uint64_t ticks) {
    return {.pid = 7, .state = state, .cpu_ticks = ticks, .start_time = 100};
}

TEST(ProcessStat, ReadsStateTimesAndStart) {
    const auto read = parse_process_stat(kStat);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->pid, 4242);
    EXPECT_EQ(read->state, 'S');
    EXPECT_EQ(read->cpu_ticks, 281U);
    EXPECT_EQ(read->start_time, 987654U);
}

TEST(ProcessStat, IsNotFooledByProgramNames) {
    std::string tricky(kStat);
    tricky.replace(tricky.find("llama-server"), 12, "a) R 1 (b");
    const auto read = parse_process_stat(tricky);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->state, 'S');
    EXPECT_EQ(read->start_time, 987654U);
}

TEST(ProcessStat, RefusesEverythingElse) {
    const std::size_t needed = kStat.find("163840000");
    for (std::size_t length = 0; length <= needed; ++length) {
        EXPECT_FALSE(parse_process_stat(kStat.substr(0, length))) << length;
    }
    EXPECT_FALSE(parse_process_stat("No such process"));
    EXPECT_FALSE(parse_process_stat(") ("));
    std::string bad(kStat);
    bad.replace(bad.find("987654"), 6, "-98765");
    EXPECT_FALSE(parse_process_stat(bad));
}

TEST(ProcessStat, SurvivesDamagedText) {
    Rng rng(9);
    for (int round = 0; round < 5'000; ++round) {
        std::string bad(kStat);
        bad[rng.below(bad.size())] = static_cast<char>(rng.below(256));
        bad.resize(rng.below(bad.size() + 1));
        const auto read = parse_process_stat(bad);
        EXPECT_TRUE(read || !read.error().message.empty());
    }
}

TEST(WasIdle, AStoppedProcessIsIdleAtFirstSight) {
    for (const char state : {'T', 't', 'Z', 'X'}) {
        EXPECT_TRUE(was_idle(std::nullopt, facts(state, 5))) << state;
    }
    EXPECT_FALSE(was_idle(std::nullopt, facts('S', 5)));
}

TEST(WasIdle, ComparesCpuTimeOfTheSameProcess) {
    EXPECT_TRUE(was_idle(facts('S', 5), facts('S', 5)));
    EXPECT_FALSE(was_idle(facts('S', 5), facts('S', 6)));
    ProcessFacts other = facts('S', 5);
    other.start_time = 99;
    EXPECT_FALSE(was_idle(other, facts('S', 5)));
}

constexpr std::string_view kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:7A69 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 11 "
    "1\n"
    "   1: 0100007F:7A69 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
    "4711 1\n"
    "   2: 0A00007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12 "
    "1\n"
    "   3: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 13 "
    "1\n";

TEST(ListenerInode, FindsWhoListens) {
    EXPECT_EQ(find_listener_inode(kTcp, 31337), 4711U);
    EXPECT_EQ(find_listener_inode(kTcp, 80), 13U);
    EXPECT_EQ(find_listener_inode(kTcp, 8080), std::nullopt);
    EXPECT_EQ(find_listener_inode(kTcp, 1), std::nullopt);
    EXPECT_EQ(find_listener_inode("", 1), std::nullopt);
    EXPECT_EQ(find_listener_inode("nonsense\n\n a b c 0A e f g h i j", 1), std::nullopt);
}

TEST(SocketInode, ReadsLinksOfSocketsOnly) {
    EXPECT_EQ(socket_inode("socket:[4711]"), 4711U);
    EXPECT_EQ(socket_inode("pipe:[4711]"), std::nullopt);
    EXPECT_EQ(socket_inode("socket:["), std::nullopt);
    EXPECT_EQ(socket_inode("socket:[]"), std::nullopt);
    EXPECT_EQ(socket_inode("/dev/null"), std::nullopt);
}

}  // namespace
}  // namespace orch::node::lifecycle
