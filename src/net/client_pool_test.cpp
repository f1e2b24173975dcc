#include "net/client_pool.hpp"

#include "async/sim_clock.hpp"
#include "async/task_group.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <gtest/gtest.h>

#include <utility>

namespace orch::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Task<void> acquire_into(ClientPool& pool, HostPort from, PooledConnection& out) {
    ConnectStop stop;
    out = co_await pool.acquire(from, seconds(1), stop);
}

// Virtual time, but real sockets: what is pooled has to be a connection.
struct ClientPoolTest : testing::Test {
    asio::io_context context;
    async::SimClock clock{context};
    DeadlineList deadlines{clock};
    ClientPool pool{context.get_executor(), deadlines};
    async::TaskGroup group{context.get_executor(), nullptr};
    asio::basic_socket_acceptor<asio::ip::tcp, Executor> acceptor{
        context.get_executor(), {asio::ip::address_v4::loopback(), 0}
    };
    HostPort there{"127.0.0.1", acceptor.local_endpoint().port()};

    void SetUp() override { group.spawn(deadlines.run()); }

    void TearDown() override {
        group.cancel();
        clock.run_for(Duration::zero());
    }

    std::unique_ptr<Connection> connected() {
        Socket socket(context.get_executor());
        socket.connect(acceptor.local_endpoint());
        return std::make_unique<Connection>(std::move(socket), deadlines);
    }

    bool reuses(const HostPort& endpoint) {
        PooledConnection pooled;
        group.spawn(acquire_into(pool, endpoint, pooled));
        clock.run_for(Duration::zero());
        return pooled.reused;
    }
};

TEST_F(ClientPoolTest, GivesBackTheConnectionThatWasUsedLast) {
    pool.put_back(there, connected());
    auto last = connected();
    const Connection* const expected = last.get();
    pool.put_back(there, std::move(last));
    PooledConnection pooled;
    group.spawn(acquire_into(pool, there, pooled));
    clock.run_for(Duration::zero());
    EXPECT_TRUE(pooled.reused);
    EXPECT_EQ(pooled.connection.get(), expected);
    EXPECT_EQ(pool.idle(), 1U);
}

TEST_F(ClientPoolTest, AnotherEndpointIsNotServedWithIt) {
    pool.put_back(there, connected());
    EXPECT_FALSE(reuses(HostPort{"127.0.0.1", 1}));
    EXPECT_TRUE(reuses(there));
}

TEST_F(ClientPoolTest, AnIdleConnectionIsClosedAtItsLimitThoughNobodyAsks) {
    pool.put_back(there, connected());
    clock.run_for(seconds(1));
    pool.put_back(HostPort{"127.0.0.2", 9}, connected());
    clock.run_for(ClientPool::kIdleLimit - seconds(1) - milliseconds(1));
    EXPECT_EQ(pool.idle(), 2U);
    clock.run_for(milliseconds(1) + ClientPool::kSweepPause);
    EXPECT_EQ(pool.idle(), 1U) << "what comes later must not put the sweep off";
    clock.run_for(seconds(1) + ClientPool::kSweepPause);
    EXPECT_EQ(pool.idle(), 0U);
}

TEST_F(ClientPoolTest, KeepsConnectionsAsLongAsItIsTold) {
    ClientPool patient(context.get_executor(), deadlines, seconds(40));
    patient.put_back(there, connected());
    clock.run_for(seconds(39));
    EXPECT_EQ(patient.idle(), 1U);
    clock.run_for(seconds(1) + ClientPool::kSweepPause);
    EXPECT_EQ(patient.idle(), 0U);
}

TEST_F(ClientPoolTest, OneOlderThanTheLimitIsNeverReused) {
    pool.put_back(there, connected());
    clock.run_for(ClientPool::kIdleLimit - milliseconds(100));
    pool.put_back(HostPort{"127.0.0.2", 9}, connected());
    clock.run_for(milliseconds(100));
    EXPECT_FALSE(reuses(there));
}

TEST_F(ClientPoolTest, KeepsAFixedNumberPerEndpoint) {
    for (std::size_t i = 0; i < ClientPool::kIdlePerEndpoint + 3; ++i) {
        pool.put_back(there, connected());
        clock.run_for(Duration::zero());
    }
    EXPECT_EQ(pool.idle(), ClientPool::kIdlePerEndpoint);
}

}  // namespace
}  // namespace orch::net
