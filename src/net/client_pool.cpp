#include "net/client_pool.hpp"

#include "async/event_loop.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace orch::net {
namespace {

using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;
using Endpoints = std::vector<asio::ip::tcp::endpoint>;

// Looks the name up on the resolver's thread. getaddrinfo cannot be interrupted: whoever does not
// want to wait any longer sets `found` too, and the late answer is dropped.
void look_up(Executor executor, const HostPort& target, async::Handoff<Endpoints> found) {
    const auto resolver = std::make_shared<Resolver>(executor);
    resolver->async_resolve(
        target.host,
        std::to_string(target.port),
        [resolver,
         found](boost::system::error_code, const Resolver::results_type& results) mutable {
            Endpoints endpoints;
            for (const auto& entry : results) {
                endpoints.push_back(entry.endpoint());
            }
            std::move(found).set(std::move(endpoints));
        }
    );
}

// Clears what refers to a coroutine's locals when it ends.
class ScopedHook {
public:
    ScopedHook(std::function<void()>& hook, std::function<void()> action) : hook_(hook) {
        hook_ = std::move(action);
    }

    ~ScopedHook() { hook_ = nullptr; }

    ScopedHook(const ScopedHook&) = delete;
    ScopedHook& operator=(const ScopedHook&) = delete;

private:
    std::function<void()>& hook_;
};

}  // namespace

std::string_view to_string(UpstreamFailure failure) {
    switch (failure) {
        case UpstreamFailure::none:
            return "no failure";
        case UpstreamFailure::unresolved:
            return "the host name has no address";
        case UpstreamFailure::refused:
            return "the connection was refused";
        case UpstreamFailure::connect_timeout:
            return "no connection in time";
        case UpstreamFailure::tls_failed:
            return "no secure connection";
        case UpstreamFailure::reset_before_head:
            return "the connection ended before an answer";
        case UpstreamFailure::first_byte_timeout:
            return "no answer in time";
        case UpstreamFailure::malformed:
            return "the answer is not HTTP";
        case UpstreamFailure::reset_mid_body:
            return "the connection ended within the answer";
        case UpstreamFailure::idle_timeout:
            return "the answer paused for too long";
        case UpstreamFailure::cancelled:
            return "cancelled";
    }
    return "unknown failure";
}

ClientPool::ClientPool(Executor executor, DeadlineList& deadlines, Duration idle_limit)
    : executor_(executor),
      deadlines_(deadlines),
      idle_limit_(idle_limit),
      sweep_(deadlines, [this] { sweep(); }) {}

Task<PooledConnection> ClientPool::acquire(Peer peer, Duration limit, ConnectStop& stop) {
    PooledConnection pooled;
    pooled.connection = take_idle(peer);
    if (pooled.connection) {
        pooled.reused = true;
        co_return pooled;
    }
    co_return co_await connect(peer, limit, stop);
}

Task<PooledConnection> ClientPool::connect(Peer peer, Duration limit, ConnectStop& stop) {
    const Instant end = deadlines_.now() + limit;
    PooledConnection pooled = co_await reach(peer.at, limit, stop);
    if (peer.tls && pooled.connection) {
        const Duration left = end - deadlines_.now();
        co_return co_await secure(std::move(pooled.connection), peer, left, stop);
    }
    co_return pooled;
}

Task<PooledConnection> ClientPool::secure(
    std::unique_ptr<Connection> connection, Peer peer, Duration limit, ConnectStop& stop
) {
    PooledConnection pooled;
    pooled.failure = UpstreamFailure::tls_failed;
    const TlsContextPtr context = tls_ != nullptr ? tls_->load()->client : nullptr;
    if (!context) {
        pooled.detail = "no TLS is set up here";
        co_return pooled;
    }
    bool ended = false;
    const ScopedHook stoppable(stop.end_, [&ended, raw = connection.get()] {
        ended = true;
        raw->close();
    });
    const TlsTicket ticket = find_ticket(peer, context);
    const HandshakeEnd how =
        co_await connection->start_tls(TlsSession::connect(context, peer.at.host, ticket), limit);
    if (ended) {
        pooled.failure = UpstreamFailure::cancelled;
    } else if (how == HandshakeEnd::timed_out) {
        pooled.failure = UpstreamFailure::connect_timeout;
    } else if (how == HandshakeEnd::done) {
        pooled.failure = UpstreamFailure::none;
        pooled.connection = std::move(connection);
    } else {
        tickets_.erase(peer);
        pooled.detail = connection->tls_error();
    }
    co_return pooled;
}

TlsTicket ClientPool::find_ticket(const Peer& peer, const TlsContextPtr& context) const {
    const auto found = tickets_.find(peer);
    return found != tickets_.end() && found->second.context == context ? found->second.ticket
                                                                       : nullptr;
}

void ClientPool::keep_ticket(const Peer& peer, const TlsSession& session) {
    if (tickets_.size() >= kMaxTickets) {
        tickets_.clear();
    }
    if (TlsTicket ticket = session.ticket()) {
        tickets_[peer] = Ticket{session.context(), std::move(ticket)};
    }
}

Task<PooledConnection> ClientPool::reach(HostPort endpoint, Duration limit, ConnectStop& stop) {
    co_await asio::this_coro::throw_if_cancelled(false);
    Socket socket(executor_);
    async::Handoff<Endpoints> found(executor_);
    bool ended = false;
    const auto end = [&socket, &found, &ended] {
        ended = true;
        found.set({});
        boost::system::error_code ignored;
        socket.close(ignored);
    };
    const ScopedHook stoppable(stop.end_, end);
    Deadline deadline(deadlines_, end);
    deadline.arm(limit);
    const auto failed = [&](UpstreamFailure other) {
        PooledConnection pooled;
        pooled.failure = deadline.expired() ? UpstreamFailure::connect_timeout
                         : ended            ? UpstreamFailure::cancelled
                                            : other;
        return pooled;
    };
    boost::system::error_code no_literal;
    const auto address = asio::ip::make_address(endpoint.host, no_literal);
    Endpoints endpoints;
    if (no_literal) {
        look_up(executor_, endpoint, found);
        endpoints = co_await found.wait();
    } else {
        endpoints.emplace_back(address, endpoint.port);
    }
    if (ended || endpoints.empty()) {
        co_return failed(UpstreamFailure::unresolved);
    }
    const auto [failure, reached] = co_await asio::async_connect(socket, endpoints, use_tuple);
    if (failure || ended) {
        const bool aborted = failure == asio::error::operation_aborted;
        co_return failed(aborted ? UpstreamFailure::cancelled : UpstreamFailure::refused);
    }
    PooledConnection pooled;
    pooled.connection = std::make_unique<Connection>(std::move(socket), deadlines_);
    co_return pooled;
}

std::unique_ptr<Connection> ClientPool::take_idle(const Peer& peer) {
    const auto found = idle_.find(peer);
    if (found == idle_.end()) {
        return nullptr;
    }
    std::deque<Idle>& stack = found->second;
    close_expired(stack);
    std::unique_ptr<Connection> connection;
    while (connection == nullptr && !stack.empty()) {
        if (!outdated(*stack.back().connection)) {
            connection = std::move(stack.back().connection);
        }
        stack.pop_back();
    }
    if (stack.empty()) {
        idle_.erase(found);
    }
    return connection;
}

// A connection that is asked every few seconds would never see new certificates.
bool ClientPool::outdated(const Connection& connection) const {
    const TlsSession* const tls = connection.tls();
    return tls != nullptr && tls->context() != tls_->load()->client;
}

void ClientPool::put_back(const Peer& peer, std::unique_ptr<Connection> connection) {
    if (const TlsSession* const tls = connection->tls()) {
        keep_ticket(peer, *tls);
    }
    std::deque<Idle>& stack = idle_[peer];
    stack.push_back(Idle{std::move(connection), deadlines_.now()});
    if (stack.size() > kIdlePerEndpoint) {
        stack.pop_front();
    }
    if (!sweep_.armed()) {
        sweep_.arm(idle_limit_);
    }
}

void ClientPool::close_expired(std::deque<Idle>& stack) const {
    const Instant oldest = deadlines_.now() - idle_limit_;
    while (!stack.empty() && stack.front().since <= oldest) {
        stack.pop_front();
    }
}

// All endpoints, at the moment at which the one that has been idle longest is due.
void ClientPool::sweep() {
    Instant longest = Instant::max();
    for (auto entry = idle_.begin(); entry != idle_.end();) {
        std::deque<Idle>& stack = entry->second;
        close_expired(stack);
        if (stack.empty()) {
            entry = idle_.erase(entry);
        } else {
            longest = std::min(longest, stack.front().since);
            ++entry;
        }
    }
    if (longest != Instant::max()) {
        sweep_.arm(std::max(longest + idle_limit_ - deadlines_.now(), kSweepPause));
    }
}

std::size_t ClientPool::idle() const {
    std::size_t count = 0;
    for (const auto& [endpoint, stack] : idle_) {
        count += stack.size();
    }
    return count;
}

void ClientPool::close_idle() {
    idle_.clear();
}

}  // namespace orch::net
