#include "net/connection_tls.hpp"

#include "async/cancellation.hpp"
#include "net/connection.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

// Connection with TLS: the session turns bytes of the wire into plain text and back, here they are
// moved. What is plain stays in connection.cpp and does not pay for this.
namespace orch::net {
namespace {

constexpr std::size_t kRecord = 16UL * 1024;  // of plain text, the largest there is
constexpr std::size_t kSendAt = 64UL * 1024;  // of the wire's bytes
constexpr Duration kAlertLimit = std::chrono::seconds(1);

// A TLS connection begins with a handshake record (22), HTTP with the letter of a verb.
bool looks_like_http(std::string_view first_bytes) {
    return !first_bytes.empty() && first_bytes.front() >= 'A' && first_bytes.front() <= 'Z';
}

}  // namespace

const TlsSession* Connection::tls() const {
    return tls_ ? tls_->session.get() : nullptr;
}

Task<HandshakeEnd> Connection::start_tls(std::unique_ptr<TlsSession> session, Duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const bool accepting = session->accepting();
    tls_ = std::make_unique<TlsStream>(std::move(session));
    const Instant end = deadline_.now() + limit;
    for (bool first = true;; first = false) {
        const TlsSession::Progress progress = tls_->session->handshake();
        const Duration left = end - deadline_.now();
        const bool sent =
            co_await send_tls(progress == TlsSession::Progress::failed ? kAlertLimit : left);
        if (progress == TlsSession::Progress::failed) {
            tls_error_ = tls_->session->error();
            co_return HandshakeEnd::failed;
        }
        if (progress == TlsSession::Progress::done && sent) {
            co_return HandshakeEnd::done;
        }
        deadline_.arm(end - deadline_.now());
        const bool received = sent && co_await receive_tls();
        deadline_.disarm();
        if (!received) {
            tls_error_ = deadline_.expired() ? "the TLS handshake took too long"
                                             : "the connection ended during the TLS handshake";
            co_return deadline_.expired() ? HandshakeEnd::timed_out : HandshakeEnd::failed;
        }
        if (first && accepting && looks_like_http(tls_->received())) {
            std::memcpy(buffer_.get(), tls_->wire.get(), tls_->got);
            end_ = tls_->got;
            tls_.reset();
            co_return HandshakeEnd::plain;
        }
        tls_->session->put_input(tls_->received());
    }
}

// Once: what came stands in tls_->received().
Task<bool> Connection::receive_tls() {
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (!socket_.is_open() || async::told_to_stop(state)) {
        tls_->failure = asio::error::operation_aborted;
        co_return false;
    }
    const asio::mutable_buffer space(tls_->wire.get(), TlsStream::kWireBuffer);
    const auto [failure, bytes] = co_await socket_.async_read_some(space, use_tuple);
    tls_->got = bytes;
    tls_->failure = failure;
    co_return !failure;
}

// All that the session has for the wire.
Task<bool> Connection::send_tls(Duration limit) {
    const std::string_view output = tls_->session->output();
    if (output.empty()) {
        co_return true;
    }
    std::vector<asio::const_buffer> wire{asio::buffer(output.data(), output.size())};
    const bool sent = co_await write_plain(std::move(wire), limit);
    tls_->session->output_sent();
    co_return sent;
}

Task<ReadEnd> Connection::fill_tls(Duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    make_room();
    if (!socket_.is_open() || end_ == kBufferSize) {
        co_return ReadEnd::broken;
    }
    const Instant end = deadline_.now() + limit;
    for (;;) {
        const TlsSession::ReadStep step =
            tls_->session->read(buffer_.get() + end_, kBufferSize - end_);
        end_ += step.bytes;
        if (step.state == TlsSession::ReadState::data) {
            co_return ReadEnd::data;
        }
        if (step.state == TlsSession::ReadState::closed) {
            co_return ReadEnd::closed;
        }
        if (step.state == TlsSession::ReadState::failed) {
            tls_error_ = tls_->session->error();
            co_return ReadEnd::broken;
        }
        // An answer to a key update, for example.
        const bool answered = co_await send_tls(kAlertLimit);
        deadline_.arm(end - deadline_.now());
        const bool received = answered && co_await receive_tls();
        deadline_.disarm();
        if (!received) {
            const ReadEnd ended = end_of_read(tls_->failure);
            // An end that was not announced: somebody may have cut off the rest.
            co_return ended == ReadEnd::closed ? ReadEnd::broken : ended;
        }
        tls_->session->put_input(tls_->received());
    }
}

Task<bool> Connection::write_tls(std::vector<asio::const_buffer> pieces, Duration limit) {
    co_await asio::this_coro::throw_if_cancelled(false);
    std::string& plain = tls_->plain;
    plain.clear();
    for (const asio::const_buffer& piece : pieces) {
        std::string_view rest(static_cast<const char*>(piece.data()), piece.size());
        while (!rest.empty()) {
            const std::size_t part = std::min(rest.size(), kRecord - plain.size());
            plain += rest.substr(0, part);
            rest.remove_prefix(part);
            if (plain.size() < kRecord) {
                continue;
            }
            if (!tls_->session->write(plain)) {
                co_return false;
            }
            plain.clear();
            if (tls_->session->output().size() >= kSendAt && !co_await send_tls(limit)) {
                co_return false;
            }
        }
    }
    if (!tls_->session->write(plain)) {
        co_return false;
    }
    co_return co_await send_tls(limit);
}

// Best effort, without waiting: a peer that does not hear it takes the end for a cut.
void Connection::say_end() {
    if (!tls_ || writing_ || !socket_.is_open()) {
        return;
    }
    tls_->session->finish();
    const std::string_view output = tls_->session->output();
    (void
    )::send(socket_.native_handle(), output.data(), output.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    tls_->session->output_sent();
}

}  // namespace orch::net
