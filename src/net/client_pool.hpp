#pragma once

#include "async/task.hpp"
#include "base/host_port.hpp"
#include "net/connection.hpp"
#include "net/tls_context.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace orch::net {

// Why no answer, or no whole answer, came from upstream.
enum class UpstreamFailure {
    none,
    unresolved,          // the host name has no address
    refused,             // nobody listens there, or the network says unreachable
    connect_timeout,     // no connection in time
    tls_failed,          // no TLS, or the peer is not who it should be; a detail tells which
    reset_before_head,   // the connection ended before a whole response head
    first_byte_timeout,  // no response head in time
    malformed,           // what came is no HTTP
    reset_mid_body,      // the connection ended before the body was complete
    idle_timeout,        // the body paused for too long
    cancelled,           // closed by us
};

std::string_view to_string(UpstreamFailure failure);

// Whom to connect to, and how.
struct Peer {
    Peer() = default;

    Peer(HostPort where, bool with_tls = false) : at(std::move(where)), tls(with_tls) {}

    HostPort at;
    bool tls = false;

    friend auto operator<=>(const Peer&, const Peer&) = default;
};

// A connection to send a request on, and whether it has served one before.
struct PooledConnection {
    std::unique_ptr<Connection> connection;  // null when `failure` is set
    bool reused = false;
    UpstreamFailure failure = UpstreamFailure::none;
    std::string detail{};  // of tls_failed, for people
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
    // Our own daemons keep them 75 s: long enough for calls that come every few seconds.
    static constexpr Duration kIdleLimitOfOurs = std::chrono::seconds(40);
    // Between two sweeps, at least: one closes many.
    static constexpr Duration kSweepPause = std::chrono::milliseconds(500);
    static constexpr std::size_t kIdlePerEndpoint = 64;

    ClientPool(Executor executor, DeadlineList& deadlines, Duration idle_limit = kIdleLimit);

    // The certificates for peers with TLS, looked at for each request: a connection made under
    // others is not used again. Before the first one; `tls` outlives the pool. Without it calls
    // with TLS fail.
    void use_tls(const LiveTls& tls) { tls_ = &tls; }

    // An idle connection, or a new one made within `limit`, the look-up of the name and the TLS
    // handshake included.
    Task<PooledConnection> acquire(Peer peer, Duration limit, ConnectStop& stop);

    // Always a new connection.
    Task<PooledConnection> connect(Peer peer, Duration limit, ConnectStop& stop);

    // Takes back a connection whose last exchange ended cleanly.
    void put_back(const Peer& peer, std::unique_ptr<Connection> connection);

    void close_idle();

    std::size_t idle() const;

    DeadlineList& deadlines() { return deadlines_; }

private:
    struct Idle {
        std::unique_ptr<Connection> connection;
        Instant since;
    };

    // To take up a peer's session again; only under the certificates that it was made with.
    struct Ticket {
        TlsContextPtr context;
        TlsTicket ticket;
    };

    static constexpr std::size_t kMaxTickets = 1024;

    Task<PooledConnection> reach(HostPort endpoint, Duration limit, ConnectStop& stop);
    Task<PooledConnection> secure(
        std::unique_ptr<Connection> connection, Peer peer, Duration limit, ConnectStop& stop
    );
    TlsTicket find_ticket(const Peer& peer, const TlsContextPtr& context) const;
    void keep_ticket(const Peer& peer, const TlsSession& session);
    std::unique_ptr<Connection> take_idle(const Peer& peer);
    bool outdated(const Connection& connection) const;
    void close_expired(std::deque<Idle>& stack) const;
    void sweep();

    Executor executor_;
    DeadlineList& deadlines_;
    Duration idle_limit_;
    const LiveTls* tls_ = nullptr;
    std::map<Peer, std::deque<Idle>> idle_;
    std::map<Peer, Ticket> tickets_;
    Deadline sweep_;  // armed while anything is idle: an endpoint that nobody asks for again leaves
                      // nothing open
};

}  // namespace orch::net
