#include "node/supervisor/proc_reader.hpp"

#include "node/supervisor/free_port.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>
#include <unistd.h>

namespace orch::node::supervisor {
namespace {

namespace ip = boost::asio::ip;

struct ProcReader : testing::Test {
    boost::asio::io_context context;
    ip::tcp::acceptor acceptor{context, {ip::address_v4::loopback(), 0}};
    std::uint16_t port = acceptor.local_endpoint().port();
};

TEST_F(ProcReader, KnowsThisProcess) {
    const auto facts = load_process(getpid());
    ASSERT_TRUE(facts.has_value());
    EXPECT_EQ(facts->pid, getpid());
    EXPECT_GT(facts->start_time, 0U);
}

TEST_F(ProcReader, KnowsNoProcessThatCannotBe) {
    EXPECT_FALSE(load_process(999'999'999).has_value());
}

TEST_F(ProcReader, TheBootHasAnId) {
    EXPECT_FALSE(load_boot_id().empty());
    EXPECT_EQ(load_boot_id(), load_boot_id());
}

TEST_F(ProcReader, TellsWhoListens) {
    EXPECT_EQ(find_listener_owner(getpid(), port), ListenerOwner::process);
    EXPECT_NE(find_listener_owner(1, port), ListenerOwner::process);
    acceptor.close();
    EXPECT_EQ(find_listener_owner(getpid(), port), ListenerOwner::nobody);
}

TEST_F(ProcReader, AProcessThatIsGoneListensNowhere) {
    EXPECT_EQ(find_listener_owner(999'999'999, port), ListenerOwner::other);
}

TEST_F(ProcReader, AChosenPortCanBeListenedOn) {
    const auto chosen = choose_loopback_port();
    ASSERT_TRUE(chosen.has_value());
    EXPECT_NE(*chosen, port);
    EXPECT_NO_THROW((ip::tcp::acceptor(context, {ip::address_v4::loopback(), *chosen})));
}

}  // namespace
}  // namespace orch::node::supervisor
