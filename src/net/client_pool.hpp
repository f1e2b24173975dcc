#pragma once

#include "async/task.hpp"
#include "base/host_port.hpp"
#include "net/connection.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>

namespace orch::net {

// Why no answer, or no whole answer, came from upstream.
enum class UpstreamFailure {
    none,
    unresolved,          // the host name has no address
    refused,             // nobody listens there, or the network says unreachable
    connect_timeout,     // no connection in time
    reset_before_head,   // the connection ended before a whole response head
    first_byte_timeout,  // no response head in time
    malformed,           // what came is no HTTP
    reset_mid_body,      // the connection ended before the body was complete
    idle_timeout,        // the body paused for too long
    cancelled,           // closed by us
};

std::string_view to_string(UpstreamFailure failure);

// A connection to send a request on, and whether it has served one before.
struct PooledConnection {
    std::unique_ptr<Connection> connection;  // null when `failure` is set
    bool reused = false;
    UpstreamFailure failure = UpstreamFailure::none;
};

// Ends a connection attempt that is under way, from the same thread.
class ConnectStop {
public:
    void stop() {
        if (end_) {
            end_();
        }
    }

private:
    friend class ClientPool;
    std::function<void()> end_;
};

// The client connections of one edge, kept per endpoint between requests. One thread.
class ClientPool {
public:
    // llama-server drops idle connections after 5 s; ours go before that.
    static constexpr Duration kIdleLimit = std::chrono::seconds(3);
    static constexpr std::size_t kIdlePerEndpoint = 64;

    ClientPool(Executor executor, DeadlineList& deadlines);

    // An idle connection, or a new one made within `limit`, the look-up of the name included.
    Task<PooledConnection> acquire(HostPort endpoint, Duration limit, ConnectStop& stop);

    // Always a new connection.
    Task<PooledConnection> connect(HostPort endpoint, Duration limit, ConnectStop& stop);

    // Takes back a connection whose last exchange ended cleanly.
    void put_back(const HostPort& endpoint, std::unique_ptr<Connection> connection);

    void close_idle();

    std::size_t idle() const;

    DeadlineList& deadlines() { return deadlines_; }

private:
    struct Idle {
        std::unique_ptr<Connection> connection;
        Instant since;
    };

    std::unique_ptr<Connection> take_idle(const HostPort& endpoint);
    void close_expired();

    Executor executor_;
    DeadlineList& deadlines_;
    std::map<HostPort, std::deque<Idle>> idle_;
    Deadline sweep_;  // an endpoint that nobody asks for again leaves nothing open
};

}  // namespace orch::net
