#include "net/connection.hpp"

#include "async/cancellation.hpp"
#include "net/connection_tls.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <poll.h>

#include <cstring>
#include <utility>

namespace orch::net {
namespace {

constexpr Duration kLingerLimit = std::chrono::seconds(2);
constexpr std::size_t kWriteStep = 64UL * 1024;  // as asio's own transfer_all
constexpr std::size_t kLingerBytes = 1024UL * 1024;
constexpr Duration kLastWord = std::chrono::seconds(1);

// Half of what a client's leaving may take to be noticed.
constexpr Duration kNextLook = std::chrono::milliseconds(50);

// Whether the peer has closed its side or broken off, whatever it has sent before.
bool peer_closed(int socket) {
    pollfd state{socket, POLLRDHUP, 0};
    return poll(&state, 1, 0) == 1;
}

}  // namespace

struct Connection::Watch {
    std::function<void()> on_gone;
};

Connection::Connection(Socket socket, DeadlineList& deadlines)
    : socket_(std::move(socket)),
      deadline_(deadlines, [this] { on_time_up(); }),
      next_look_(deadlines, [this] { look_at_peer(); }),
      buffer_(std::make_unique<char[]>(kBufferSize)) {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto peer = socket_.remote_endpoint(ignored);
    peer_is_loopback_ = !ignored && peer.address().is_loopback();
}

Connection::~Connection() {
    stop_watching();
}

std::string Connection::peer_address() const {
    boost::system::error_code gone;
    const auto peer = socket_.remote_endpoint(gone);
    return gone ? std::string() : peer.address().to_string();
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
    return tls_ ? fill_tls(limit) : fill_plain(limit);
}

Task<ReadEnd> Connection::fill_plain(Duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    make_room();
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (!socket_.is_open() || end_ == kBufferSize || async::told_to_stop(state)) {
        co_return ReadEnd::broken;
    }
    deadline_.arm(limit);
    const asio::mutable_buffer space(buffer_.get() + end_, kBufferSize - end_);
    const auto [failure, bytes] = co_await socket_.async_read_some(space, use_tuple);
    deadline_.disarm();
    end_ += bytes;
    co_return failure ? end_of_read(failure) : ReadEnd::data;
}

ReadEnd Connection::end_of_read(const boost::system::error_code& failure) const {
    if (failure == asio::error::eof) {
        return ReadEnd::closed;
    }
    return deadline_.expired() && socket_.is_open() ? ReadEnd::timed_out : ReadEnd::broken;
}

void Connection::on_time_up() {
    if (writing_) {
        close();
    } else {
        boost::system::error_code ignored;
        socket_.cancel(ignored);
    }
}

Task<bool> Connection::write(std::vector<asio::const_buffer> pieces, Duration limit) {
    return tls_ ? write_tls(std::move(pieces), limit) : write_plain(std::move(pieces), limit);
}

Task<bool> Connection::write_plain(std::vector<asio::const_buffer> pieces, Duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (!socket_.is_open() || async::told_to_stop(state)) {
        co_return false;
    }
    writing_ = true;
    const auto progress = [this, limit](const boost::system::error_code& failure, std::size_t) {
        deadline_.arm(limit);
        return failure ? 0 : kWriteStep;
    };
    const auto [failure, bytes] = co_await asio::async_write(socket_, pieces, progress, use_tuple);
    deadline_.disarm();
    writing_ = false;
    co_return !failure;
}

void Connection::watch_peer(std::function<void()> on_gone) {
    watch_ = std::make_shared<Watch>(Watch{std::move(on_gone)});
    socket_.async_wait(
        Socket::wait_read,
        [this, watch = std::weak_ptr<Watch>(watch_)](boost::system::error_code failure) {
            if (!watch.expired() && !failure) {
                look_at_peer();
            }
        }
    );
}

void Connection::look_at_peer() {
    if (!socket_.is_open()) {
        return;
    }
    if (!peer_closed(socket_.native_handle())) {
        next_look_.arm(kNextLook);
        return;
    }
    const std::shared_ptr<Watch> watch = watch_;
    watch->on_gone();
}

void Connection::stop_watching() {
    if (watch_) {
        watch_.reset();
        next_look_.disarm();
        boost::system::error_code ignored;
        socket_.cancel(ignored);
    }
}

Task<void> Connection::linger_and_close() {
    if (tls_) {
        tls_->session->finish();
        co_await send_tls(kLastWord);
    }
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    const Instant end = deadline_.now() + kLingerLimit;
    std::size_t discarded = 0;
    while (discarded < kLingerBytes && deadline_.now() < end) {
        begin_ = end_ = 0;
        const Duration left = end - deadline_.now();
        const ReadEnd read = co_await fill(left);
        if (read != ReadEnd::data) {
            break;
        }
        discarded += end_;
    }
    close();
}

void Connection::close() {
    say_end();
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    socket_.close(ignored);
}

void Connection::reset() {
    boost::system::error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

}  // namespace orch::net
