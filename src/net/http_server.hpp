#pragma once

#include "base/host_port.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "net/edge.hpp"
#include "net/exchange.hpp"
#include "net/route_table.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace orch::net {

// A check that every request passes between routing and its body, in the order of the list.
// `check` may reject; the reason is why the check stands where it does.
struct Middleware {
    std::string_view name;
    std::string_view reason;
    std::function<Result<void>(Exchange&)> check;
};

// Time limits for slow clients.
struct ServerConfig {
    Duration idle_limit = std::chrono::seconds(75);  // between two requests of a connection
    Duration head_limit = std::chrono::seconds(30);  // from the first byte of a head to its end
    Duration body_limit = std::chrono::seconds(30);  // between two reads of a body
};

// What the server tells about each request when its answer has ended. Called on the edge.
using RequestObserver = std::function<void(const Exchange&, Duration elapsed)>;

// What a server serves: fixed before it starts.
struct ServerSpec {
    const RouteTable& routes;
    std::vector<Middleware> middlewares;
    RequestObserver observer;
    ServerConfig config{};
    Headers own_headers{};  // on every whole answer; a streamed one has what its handler sets
};

// Listens on one address and deals accepted connections to its edges in turn.
class HttpServer {
public:
    // Requires: the edges outlive the server.
    HttpServer(std::vector<Edge*> edges, ServerSpec spec, Logger log);
    ~HttpServer();

    // Binds at once; no SO_REUSEPORT, so that a second daemon fails. Before start().
    // Errors: conflict, naming the address and the system's reason.
    Result<HostPort> bind(const HostPort& address);

    // Begins to accept, on the first edge's thread.
    void start();

    // Stops accepting; connections end when their present request has ended. Any thread.
    void stop_accepting();

    // Blocks until no request is being served, at most `limit`.
    void wait_idle(Duration limit) const;

    // Requests being served now.
    std::size_t busy() const { return busy_.load(); }

private:
    friend class ServerConnection;
    using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

    // Counts one request as being served for as long as it lives.
    class Busy {
    public:
        explicit Busy(HttpServer& server) : server_(server) { ++server_.busy_; }

        ~Busy() { server_.request_ended(); }

        Busy(const Busy&) = delete;
        Busy& operator=(const Busy&) = delete;

    private:
        HttpServer& server_;
    };

    Task<void> accept_loop();
    void request_ended();

    std::vector<Edge*> edges_;
    ServerSpec spec_;
    Logger log_;
    std::unique_ptr<Acceptor> acceptor_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> busy_{0};
    mutable std::mutex idle_mutex_;
    mutable std::condition_variable idle_;
};

}  // namespace orch::net
