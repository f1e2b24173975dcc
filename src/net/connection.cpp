#include "net/connection.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace orch::net {
namespace {

constexpr std::size_t kBufferSize = 16 * 1024;
constexpr Duration kLingerLimit = std::chrono::seconds(2);
constexpr std::size_t kLingerBytes = 1024 * 1024;

// Whether the peer has closed or broken off: a peek that finds the end or an error.
bool peer_closed(int socket) {
    char byte = 0;
    const ssize_t got = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

struct Connection::Watch {
    std::function<void()> on_gone;
};

Connection::Connection(Socket socket, DeadlineList& deadlines)
    : socket_(std::move(socket)),
      deadline_(deadlines, [this] { close(); }),
      buffer_(std::make_unique<char[]>(kBufferSize)) {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto peer = socket_.remote_endpoint(ignored);
    peer_is_loopback_ = !ignored && peer.address().is_loopback();
}

Connection::~Connection() {
    stop_watching();
}

std::string_view Connection::buffered() const {
    return {buffer_.get() + begin_, end_ - begin_};
}

void Connection::make_room() {
    if (begin_ != 0) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
}

Task<ReadEnd> Connection::fill(Duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    make_room();
    if (!socket_.is_open() || end_ == kBufferSize) {
        co_return ReadEnd::closed;
    }
    deadline_.arm(limit);
    const asio::mutable_buffer space(buffer_.get() + end_, kBufferSize - end_);
    const auto [failure, bytes] = co_await socket_.async_read_some(space, use_tuple);
    deadline_.disarm();
    if (failure) {
        co_return deadline_.expired() ? ReadEnd::timed_out : ReadEnd::closed;
    }
    end_ += bytes;
    co_return ReadEnd::data;
}

Task<bool> Connection::write(std::vector<asio::const_buffer> pieces, Duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    if (!socket_.is_open()) {
        co_return false;
    }
    deadline_.arm(limit);
    const auto [failure, bytes] = co_await asio::async_write(socket_, pieces, use_tuple);
    deadline_.disarm();
    co_return !failure;
}

void Connection::watch_peer(std::function<void()> on_gone) {
    watch_ = std::make_shared<Watch>(Watch{std::move(on_gone)});
    socket_.async_wait(
        Socket::wait_read,
        [weak = std::weak_ptr<Watch>(watch_),
         fd = socket_.native_handle()](boost::system::error_code failure) {
            const std::shared_ptr<Watch> watch = weak.lock();
            if (watch && !failure && watch->on_gone && peer_closed(fd)) {
                watch->on_gone();
            }
        }
    );
}

void Connection::stop_watching() {
    if (watch_) {
        watch_.reset();
        boost::system::error_code ignored;
        socket_.cancel(ignored);
    }
}

Task<void> Connection::linger_and_close() {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    const Instant end = deadline_.now() + kLingerLimit;
    std::size_t discarded = 0;
    while (discarded < kLingerBytes && deadline_.now() < end) {
        begin_ = end_ = 0;
        const ReadEnd read = co_await fill(kLingerLimit);
        if (read != ReadEnd::data) {
            break;
        }
        discarded += end_;
    }
    close();
}

void Connection::close() {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    socket_.close(ignored);
}

}  // namespace orch::net
