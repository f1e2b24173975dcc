#include "net/http_server.hpp"

#include "net/server_connection.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

namespace orch::net {
namespace {

constexpr int kBacklog = 1024;
constexpr Duration kAcceptPause = std::chrono::milliseconds(50);

Task<void> serve(HttpServer& server, Edge& edge, Socket socket, bool home_only) {
    ServerConnection connection(server, edge, std::move(socket), home_only);
    co_await connection.run();
}

std::unexpected<Error> cannot_bind(const HostPort& address, const boost::system::error_code& why) {
    return fail(Errc::conflict, "cannot listen on " + to_string(address) + ": " + why.message());
}

}  // namespace

HttpServer::HttpServer(std::vector<Edge*> edges, ServerSpec spec, Logger log)
    : edges_(std::move(edges)), spec_(std::move(spec)), log_(std::move(log)) {}

HttpServer::~HttpServer() = default;

Result<HostPort> HttpServer::bind(const HostPort& address) {
    return listen(address, false);
}

Result<HostPort> HttpServer::bind_private() {
    return listen(HostPort{"127.0.0.1", 0}, true);
}

Result<HostPort> HttpServer::listen(const HostPort& address, bool home_only) {
    boost::system::error_code failure;
    const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
    const auto ip = asio::ip::make_address(host, failure);
    if (failure) {
        return cannot_bind(address, failure);
    }
    const asio::ip::tcp::endpoint endpoint(ip, address.port);
    auto acceptor = std::make_unique<Acceptor>(edges_.front()->loop().executor());
    acceptor->open(endpoint.protocol(), failure);
    if (!failure) {
        acceptor->set_option(asio::socket_base::reuse_address(true), failure);
        acceptor->bind(endpoint, failure);
    }
    if (!failure) {
        acceptor->listen(kBacklog, failure);
    }
    if (failure) {
        return cannot_bind(address, failure);
    }
    const auto bound = acceptor->local_endpoint();
    listeners_.push_back(std::make_unique<Listener>(Listener{std::move(acceptor), home_only}));
    return HostPort{bound.address().to_string(), bound.port()};
}

void HttpServer::start() {
    Edge& first = *edges_.front();
    first.loop().post([this, &first] {
        for (const auto& listener : listeners_) {
            first.tasks().spawn(accept_loop(listener.get()));
        }
    });
}

Task<void> HttpServer::accept_loop(Listener* listener) {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (std::size_t next = 0; !stopping_; next = (next + 1) % edges_.size()) {
        Edge& edge = *edges_[next];
        Socket socket(edge.loop().executor());
        const auto [failure] = co_await listener->acceptor->async_accept(socket, use_tuple);
        if (failure == asio::error::operation_aborted) {
            break;
        }
        if (failure) {
            // Out of file descriptors, most likely: without a pause this loop would spin.
            log_.warn("cannot accept a connection", {{"reason", failure.message()}});
            if (!co_await edges_.front()->clock().sleep_for(kAcceptPause)) {
                break;
            }
            continue;
        }
        auto shared = std::make_shared<Socket>(std::move(socket));
        edge.loop().post([this, &edge, shared, home_only = listener->home_only] {
            edge.tasks().spawn(serve(*this, edge, std::move(*shared), home_only));
        });
    }
    boost::system::error_code ignored;
    listener->acceptor->close(ignored);
}

void HttpServer::stop_accepting() {
    stopping_ = true;
    edges_.front()->loop().post([this] {
        boost::system::error_code ignored;
        for (const auto& listener : listeners_) {
            listener->acceptor->close(ignored);
        }
    });
}

void HttpServer::request_ended() {
    if (--busy_ == 0 && stopping_) {
        const std::lock_guard lock(idle_mutex_);
        idle_.notify_all();
    }
}

void HttpServer::wait_idle(Duration limit) const {
    std::unique_lock lock(idle_mutex_);
    idle_.wait_for(lock, limit, [this] { return busy_ == 0; });
}

}  // namespace orch::net
