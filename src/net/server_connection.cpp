#include "net/server_connection.hpp"

#include "net/correlation.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace orch::net {
namespace {

std::unexpected<Error> too_large(Bytes limit) {
    return fail(Errc::payload_too_large, fmt::format("the body exceeds {} bytes", limit));
}

std::unexpected<Error> too_slow(std::string_view part) {
    return fail(Errc::request_timeout, fmt::format("the request's {} came too slowly", part));
}

// RFC 9112 3.2. Two of them could pass the check of one and be routed by the other.
Result<void> check_host(const RequestHead& head) {
    const auto hosts = std::ranges::count_if(head.headers.fields(), [](const auto& field) {
        return iequals(field.name, "Host");
    });
    if (hosts > 1 || (hosts == 0 && head.version_minor > 0)) {
        return fail(Errc::invalid_params, "Host: exactly one is needed");
    }
    return {};
}

}  // namespace

ServerConnection::ServerConnection(HttpServer& server, Edge& edge, Socket socket, bool home_only)
    : server_(server),
      edge_(edge),
      connection_(std::move(socket), edge.deadlines()),
      rng_(system_seed()),
      home_only_(home_only) {}

Task<void> ServerConnection::run() {
    Next next = Next::another;
    if (TlsContextPtr context = home_only_ ? nullptr : server_.tls()) {
        next = co_await start_tls(std::move(context));
    }
    while (next == Next::another && !server_.stopping_) {
        next = co_await serve_one();
    }
    if (next == Next::linger) {
        co_await connection_.linger_and_close();
    }
    connection_.close();
}

Task<ServerConnection::Next> ServerConnection::start_tls(TlsContextPtr context) {
    const HandshakeEnd end = co_await connection_.start_tls(
        TlsSession::accept(context), server_.spec_.config.handshake_limit
    );
    switch (end) {
        case HandshakeEnd::done:
            co_return Next::another;
        case HandshakeEnd::plain:
            co_return co_await refuse(
                Error{Errc::invalid_params, "this address speaks TLS: use https://", {}}
            );
        case HandshakeEnd::failed:
        case HandshakeEnd::timed_out:
            break;
    }
    server_.log_.debug("a TLS handshake failed", {{"reason", connection_.tls_error()}});
    co_return Next::close;
}

Task<Result<bool>> ServerConnection::read_head() {
    const ServerConfig& config = server_.spec_.config;
    std::optional<Instant> head_ends;
    for (;;) {
        if (!connection_.buffered().empty()) {
            head_ends = head_ends.value_or(edge_.clock().now() + config.head_limit);
            const auto used = parser_.feed(connection_.buffered());
            if (!used) {
                co_return std::unexpected(used.error());
            }
            connection_.consume(*used);
            if (parser_.head_done()) {
                co_return true;
            }
        }
        const Duration limit = head_ends ? *head_ends - edge_.clock().now() : config.idle_limit;
        const ReadEnd read = co_await connection_.fill(limit);
        if (read == ReadEnd::timed_out && head_ends) {
            co_return too_slow("head");
        }
        if (read != ReadEnd::data) {
            co_return false;
        }
    }
}

Task<ServerConnection::Next> ServerConnection::serve_one() {
    parser_.reset();
    auto got = co_await read_head();
    if (!got) {
        co_return co_await refuse(std::move(got.error()));
    }
    if (!*got) {
        co_return Next::close;
    }
    const HttpServer::Busy busy(server_);
    const Instant begun = edge_.clock().now();
    Exchange exchange(edge_, connection_, std::move(parser_.request()), server_.spec_.own_headers);
    identify(exchange);
    exchange.home_only_ = home_only_;
    exchange.close_after_ = server_.stopping_;
    co_await answer(exchange);
    connection_.stop_watching();
    if (server_.spec_.observer) {
        server_.spec_.observer(exchange, edge_.clock().now() - begun);
    }
    if (!exchange.finished()) {
        exchange.abort();
    }
    co_return after(exchange);
}

ServerConnection::Next ServerConnection::after(const Exchange& exchange) const {
    if (!exchange.close_after_) {
        return Next::another;
    }
    const bool all_read = parser_.message_done() && connection_.buffered().empty();
    return all_read || exchange.client_gone() || !exchange.finished() ? Next::close : Next::linger;
}

// A request whose head cannot be read is answered without a route, then the connection closes:
// nobody knows where the next request would begin.
Task<ServerConnection::Next> ServerConnection::refuse(Error error) {
    Exchange exchange(edge_, connection_, RequestHead{}, server_.spec_.own_headers);
    identify(exchange);
    exchange.close_after_ = true;
    co_await exchange.respond_error(std::move(error));
    if (server_.spec_.observer) {
        server_.spec_.observer(exchange, Duration::zero());
    }
    co_return exchange.client_gone() ? Next::close : Next::linger;
}

void ServerConnection::identify(Exchange& exchange) {
    exchange.correlation_ = correlation_of(exchange.head().headers, rng_);
    exchange.traceparent_ = traceparent_of(exchange.head().headers, rng_);
}

Task<void> ServerConnection::answer(Exchange& exchange) {
    auto accepted = route_and_check(exchange);
    if (accepted) {
        accepted = co_await read_body(exchange);
    } else {
        skip_body();
    }
    if (!accepted) {
        exchange.close_after_ = exchange.close_after_ || !parser_.message_done();
        co_await exchange.respond_error(std::move(accepted.error()));
        co_return;
    }
    connection_.watch_peer([&exchange] { exchange.peer_left(); });
    co_await run_handler(exchange);
}

Result<void> ServerConnection::route_and_check(Exchange& exchange) {
    const RequestHead& head = exchange.head();
    if (auto sound = check_host(head); !sound) {
        return sound;
    }
    RouteMatch match = server_.spec_.routes.match(head.method, head.path());
    exchange.route_ = match.route;
    exchange.params_ = std::move(match.params);
    for (const Middleware& middleware : server_.spec_.middlewares) {
        if (auto passed = middleware.check(exchange); !passed) {
            return passed;
        }
    }
    if (match.route == nullptr && match.allow.empty()) {
        return fail(Errc::not_found, fmt::format("no such path: {}", head.path()));
    }
    if (match.route == nullptr) {
        exchange.allow_ = std::move(match.allow);
        return fail(
            Errc::method_not_allowed, fmt::format("{} allows {}", head.path(), exchange.allow_)
        );
    }
    if (head.content_length && *head.content_length > match.route->body_limit) {
        return too_large(match.route->body_limit);
    }
    return {};
}

// What has come of a refused request's body, nothing at all for most, need not cost the connection.
void ServerConnection::skip_body() {
    if (const auto used = parser_.feed(connection_.buffered())) {
        connection_.consume(*used);
    }
}

Task<Result<void>> ServerConnection::read_body(Exchange& exchange) {
    const RequestHead& head = exchange.head();
    const bool expects_more = head.chunked || head.content_length.value_or(0) > 0;
    if (expects_more && iequals(head.headers.find("Expect").value_or(""), "100-continue")) {
        std::vector<asio::const_buffer> interim;
        interim.emplace_back("HTTP/1.1 100 Continue\r\n\r\n", 25);
        co_await connection_.write(std::move(interim), server_.spec_.config.body_limit);
    }
    exchange.body_.reserve(std::min<std::size_t>(head.content_length.value_or(0), kMiB));
    for (;;) {
        const auto used = parser_.feed(connection_.buffered());
        if (!used) {
            co_return std::unexpected(used.error());
        }
        for (const std::string_view piece : parser_.body()) {
            exchange.body_ += piece;
        }
        connection_.consume(*used);
        if (exchange.body_.size() > exchange.route_->body_limit) {
            co_return too_large(exchange.route_->body_limit);
        }
        if (parser_.message_done()) {
            co_return Result<void>{};
        }
        const ReadEnd read = co_await connection_.fill(server_.spec_.config.body_limit);
        if (read == ReadEnd::timed_out) {
            co_return too_slow("body");
        }
        if (read != ReadEnd::data) {
            exchange.peer_left();
            co_return fail(Errc::cancelled, "the client left before its request was complete");
        }
    }
}

Task<void> ServerConnection::run_handler(Exchange& exchange) {
    std::string defect;
    try {
        co_await exchange.route_->handler(exchange);
    } catch (const std::exception& e) {
        defect = e.what();
    }
    exchange.on_client_gone({});
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none && !exchange.finished()) {
        exchange.abort();
        co_return;
    }
    if (defect.empty() && (exchange.finished() || exchange.begun() || exchange.client_gone())) {
        co_return;
    }
    server_.log_.error(
        "a handler failed",
        {{"path", exchange.head().path()},
         {"what", defect.empty() ? "it returned without an answer" : defect},
         {"correlation_id", exchange.correlation()},
         {"trace_id", trace_id_of(exchange.traceparent())}}
    );
    if (!exchange.begun()) {
        co_await exchange.respond_error(
            Error{Errc::internal, "an internal error; the log has the details", {}}
        );
    }
}

}  // namespace orch::net
