#include "loopback/server_ring.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace orch::loopback {

Task<Fetched> fetch(net::ClientPool& pool, net::ClientRequest request, Duration idle_limit) {
    net::ClientExchange exchange(pool);
    Fetched got;
    got.failure = co_await exchange.send(std::move(request));
    if (got.failure != net::UpstreamFailure::none) {
        co_return got;
    }
    got.status = exchange.head().status;
    got.headers = exchange.head().headers;
    for (;;) {
        const net::BodyPiece piece = co_await exchange.read(idle_limit);
        got.body += piece.bytes;
        got.failure = piece.failure;
        if (piece.state != net::BodyPiece::State::data) {
            co_return got;
        }
    }
}

ServerRing::ServerRing(std::size_t edge_count) {
    for (std::size_t i = 0; i < edge_count; ++i) {
        edges.push_back(std::make_unique<net::Edge>(i, clock, Logger(sink, "edge")));
    }
}

ServerRing::~ServerRing() {
    stop();
}

void ServerRing::add(net::Method method, std::string path, net::Handler handler, Bytes limit) {
    net::Route route;
    route.method = method;
    route.path = std::move(path);
    route.body_limit = limit;
    route.handler = std::move(handler);
    routes.add(std::move(route));
}

void ServerRing::serve() {
    std::vector<net::Edge*> all;
    all.reserve(edges.size());
    for (const auto& edge : edges) {
        all.push_back(edge.get());
    }
    auto observe = [this](const net::Exchange& exchange, Duration) {
        const std::lock_guard lock(mutex_);
        observed_.push_back(
            {exchange.status(), exchange.correlation().str(), exchange.client_gone()}
        );
        changed_.notify_all();
    };
    net::ServerSpec spec{routes, middlewares, observe, config, {}, tls};
    server = std::make_unique<net::HttpServer>(all, std::move(spec), Logger(sink, "server"));
    const auto bound = server->bind(HostPort{"127.0.0.1", 0});
    if (!bound) {
        throw std::runtime_error(bound.error().message);
    }
    address = *bound;
    if (with_private) {
        private_address = *server->bind_private();
    }
    for (const auto& edge : edges) {
        edge->start();
    }
    client_edge.start();
    server->start();
}

void ServerRing::stop() {
    if (std::exchange(stopped_, true)) {
        return;
    }
    client_edge.stop();
    for (const auto& edge : edges) {
        edge->stop();
    }
}

net::ClientRequest ServerRing::request(net::Method method, std::string target) const {
    net::ClientRequest made;
    made.method = method;
    made.to = address;
    made.target = std::move(target);
    made.first_byte_limit = kGuard;
    return made;
}

Fetched ServerRing::fetch_from(net::ClientRequest request, Duration idle_limit) {
    auto future = on_client_edge(fetch(client_edge.clients(), std::move(request), idle_limit));
    if (future.wait_for(kGuard) != std::future_status::ready) {
        throw std::runtime_error("the exchange did not end in time");
    }
    return future.get();
}

std::vector<Observed> ServerRing::observed() const {
    const std::lock_guard lock(mutex_);
    return observed_;
}

bool ServerRing::wait_observed(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kGuard, [&] { return observed_.size() >= count; });
}

void ServerRing::settle() {
    for (const auto& edge : edges) {
        Signal done;
        edge->loop().post([&done] { done.set(); });
        done.wait();
    }
}

Task<void> echo(net::Exchange& exchange) {
    net::Response response = net::text_response(200, "text/plain", std::move(exchange.body()));
    co_await exchange.respond(std::move(response));
}

Task<void> say(net::Exchange& exchange, std::string text) {
    net::Response response = net::text_response(200, "text/plain", std::move(text));
    co_await exchange.respond(std::move(response));
}

std::string get(std::string_view path, std::string_view headers) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n{}\r\n", path, headers);
}

std::string post(std::string_view path, std::string_view body, std::string_view headers) {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n{}\r\n{}",
        path,
        body.size(),
        headers,
        body
    );
}

}  // namespace orch::loopback
