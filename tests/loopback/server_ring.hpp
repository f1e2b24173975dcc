#pragma once

#include "async/async_clock.hpp"
#include "base/log_capture.hpp"
#include "loopback/raw_socket.hpp"
#include "loopback/signal.hpp"
#include "net/client_exchange.hpp"
#include "net/http_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace orch::loopback {

// What a ClientExchange made of one request.
struct Fetched {
    net::UpstreamFailure failure = net::UpstreamFailure::none;
    int status = 0;
    net::Headers headers;
    std::string body;
};

Task<Fetched> fetch(net::ClientPool& pool, net::ClientRequest request, Duration idle_limit);

// What the server's observer saw of one request.
struct Observed {
    int status = 0;
    std::string correlation;
    bool client_gone = false;
};

// Edges, a server on a free port with the test's routes, and an edge of its own for clients.
struct ServerRing : testing::Test {
    explicit ServerRing(std::size_t edge_count = 1);
    ~ServerRing() override;

    // Before what a test's fixture lends to its handlers goes.
    void TearDown() override { stop(); }

    void add(net::Method method, std::string path, net::Handler handler, Bytes limit = kMiB);

    // Binds and starts; call after the routes and settings are made.
    void serve();

    // Runs on the client edge.
    Fetched fetch_from(net::ClientRequest request, Duration idle_limit = kGuard);
    net::ClientRequest request(net::Method method, std::string target) const;

    // A task of the client edge and its result.
    template <class T>
    std::future<T> on_client_edge(Task<T> task);

    std::vector<Observed> observed() const;
    bool wait_observed(std::size_t count);  // until that many requests have ended
    void settle();                          // until every edge has done what it has begun

    async::RealClock clock;
    CapturedLog log;
    LogSink sink{LogConfig{}, clock, log};
    std::vector<std::unique_ptr<net::Edge>> edges;
    net::Edge client_edge{99, clock, Logger(sink, "client")};
    net::RouteTable routes;
    net::ServerConfig config;
    std::vector<net::Middleware> middlewares;
    const net::LiveTls* tls = nullptr;
    bool with_private = false;
    std::unique_ptr<net::HttpServer> server;
    HostPort address;
    HostPort private_address;  // with `with_private`

    void stop();

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Observed> observed_;
    bool stopped_ = false;
};

template <class T>
Task<void> fulfil(Task<T> task, std::shared_ptr<std::promise<T>> promise) {
    T value = co_await std::move(task);
    promise->set_value(std::move(value));
}

template <class T>
std::future<T> ServerRing::on_client_edge(Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    auto shared = std::make_shared<Task<T>>(std::move(task));
    client_edge.loop().post([this, promise, shared] {
        client_edge.tasks().spawn(fulfil(std::move(*shared), promise));
    });
    return promise->get_future();
}

// Handlers that many tests use.
Task<void> echo(net::Exchange& exchange);                               // the body, as it came
Task<void> say(net::Exchange& exchange, std::string text);              // 200 and a text
std::string get(std::string_view path, std::string_view headers = "");  // a request's bytes
std::string post(std::string_view path, std::string_view body, std::string_view headers = "");

}  // namespace orch::loopback
