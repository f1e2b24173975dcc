#pragma once

#include "base/host_port.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "net/edge.hpp"
#include "net/exchange.hpp"
#include "net/route_table.hpp"
#include "net/tls_context.hpp"

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
    Duration handshake_limit = std::chrono::seconds(10);  // of TLS
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
    // With a certificate in it connections speak TLS. Looked at for each new one; outlives the
    // server.
    const LiveTls* tls = nullptr;
};

// Listens on one address, and for the node of the same process on a private one, and deals accepted
// connections to its edges in turn.
class HttpServer {
public:
    // Requires: the edges outlive the server.
    HttpServer(std::vector<Edge*> edges, ServerSpec spec, Logger log);
    ~HttpServer();

    // Binds at once; no SO_REUSEPORT, so that a second daemon fails. Before start().
    // Errors: conflict, naming the address and the system's reason.
    Result<HostPort> bind(const HostPort& address);

    // A second address, 127.0.0.1 and a free port, in plain HTTP whatever the other one speaks: for
    // the node in the same process. Before start(). Errors as above.
    Result<HostPort> bind_private();

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

    struct Listener {
        std::unique_ptr<Acceptor> acceptor;
        bool home_only = false;
    };

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

    Result<HostPort> listen(const HostPort& address, bool home_only);
    Task<void> accept_loop(Listener* listener);
    void request_ended();

    TlsContextPtr tls() const { return spec_.tls != nullptr ? spec_.tls->load()->server : nullptr; }

    std::vector<Edge*> edges_;
    ServerSpec spec_;
    Logger log_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> busy_{0};
    mutable std::mutex idle_mutex_;
    mutable std::condition_variable idle_;
};

}  // namespace orch::net
