#include "node/supervisor/free_port.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace orch::node::supervisor {

Result<std::uint16_t> choose_loopback_port() {
    namespace ip = boost::asio::ip;
    boost::asio::io_context context;
    ip::tcp::socket socket(context);
    boost::system::error_code failure;
    socket.open(ip::tcp::v4(), failure);
    if (!failure) {
        socket.bind({ip::address_v4::loopback(), 0}, failure);
    }
    const std::uint16_t port = failure ? 0 : socket.local_endpoint(failure).port();
    if (failure || port == 0) {
        return fail(Errc::internal, "no free port on 127.0.0.1: " + failure.message());
    }
    return port;
}

}  // namespace orch::node::supervisor
