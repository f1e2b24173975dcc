#include "net/client_pool.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/this_coro.hpp>

#include <string>
#include <utility>
#include <vector>

namespace orch::net {
namespace {

using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;
using Endpoints = std::vector<asio::ip::tcp::endpoint>;

// A literal address needs no resolver and no thread of it.
Task<Endpoints> resolve(Executor executor, HostPort target) {
    co_await asio::this_coro::throw_if_cancelled(false);
    boost::system::error_code no_literal;
    const auto address = asio::ip::make_address(target.host, no_literal);
    Endpoints endpoints;
    if (!no_literal) {
        endpoints.emplace_back(address, target.port);
        co_return endpoints;
    }
    Resolver resolver(executor);
    const std::string service = std::to_string(target.port);
    const auto [failure, results] =
        co_await resolver.async_resolve(target.host, service, use_tuple);
    for (const auto& entry : results) {
        endpoints.push_back(entry.endpoint());
    }
    co_return endpoints;
}

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

ClientPool::ClientPool(Executor executor, DeadlineList& deadlines)
    : executor_(executor), deadlines_(deadlines) {}

Task<PooledConnection> ClientPool::acquire(HostPort endpoint, Duration limit) {
    PooledConnection pooled;
    pooled.connection = take_idle(endpoint);
    if (pooled.connection) {
        pooled.reused = true;
        co_return pooled;
    }
    co_return co_await connect(endpoint, limit);
}

Task<PooledConnection> ClientPool::connect(HostPort endpoint, Duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    PooledConnection pooled;
    const Endpoints endpoints = co_await resolve(executor_, endpoint);
    if (endpoints.empty()) {
        pooled.failure = UpstreamFailure::unresolved;
        co_return pooled;
    }
    Socket socket(executor_);
    Deadline deadline(deadlines_, [&socket] {
        boost::system::error_code ignored;
        socket.close(ignored);
    });
    deadline.arm(limit);
    const auto [failure, reached] = co_await asio::async_connect(socket, endpoints, use_tuple);
    if (failure) {
        pooled.failure = deadline.expired() ? UpstreamFailure::connect_timeout
                         : failure == asio::error::operation_aborted ? UpstreamFailure::cancelled
                                                                     : UpstreamFailure::refused;
        co_return pooled;
    }
    pooled.connection = std::make_unique<Connection>(std::move(socket), deadlines_);
    co_return pooled;
}

std::unique_ptr<Connection> ClientPool::take_idle(const HostPort& endpoint) {
    const auto found = idle_.find(endpoint);
    if (found == idle_.end()) {
        return nullptr;
    }
    std::deque<Idle>& stack = found->second;
    while (!stack.empty() && stack.front().since + kIdleLimit < deadlines_.now()) {
        stack.pop_front();
    }
    if (stack.empty()) {
        idle_.erase(found);
        return nullptr;
    }
    std::unique_ptr<Connection> connection = std::move(stack.back().connection);
    stack.pop_back();
    return connection;
}

void ClientPool::put_back(const HostPort& endpoint, std::unique_ptr<Connection> connection) {
    std::deque<Idle>& stack = idle_[endpoint];
    stack.push_back(Idle{std::move(connection), deadlines_.now()});
    if (stack.size() > kIdlePerEndpoint) {
        stack.pop_front();
    }
}

void ClientPool::close_idle() {
    idle_.clear();
}

}  // namespace orch::net
