#include "net/local_address.hpp"

#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/this_coro.hpp>

namespace orch::net {

using Udp = asio::ip::udp;

Task<std::optional<std::string>> local_address_towards(HostPort target) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const Executor executor = co_await asio::this_coro::executor;
    asio::ip::basic_resolver<Udp, Executor> resolver(executor);
    const std::string service = std::to_string(target.port);
    const auto [failure, results] =
        co_await resolver.async_resolve(target.host, service, use_tuple);
    for (const auto& entry : results) {
        asio::basic_datagram_socket<Udp, Executor> socket(executor);
        boost::system::error_code no_route;
        socket.connect(entry.endpoint(), no_route);
        const auto local = socket.local_endpoint(no_route);
        if (!no_route && !local.address().is_unspecified()) {  // a host between two addresses
            co_return local.address().to_string();
        }
    }
    co_return std::nullopt;
}

}  // namespace orch::net
