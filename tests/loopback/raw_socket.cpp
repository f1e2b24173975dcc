#include "loopback/raw_socket.hpp"

#include "loopback/signal.hpp"
#include "net/http_parser.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace orch::loopback {
namespace {

sockaddr_in loopback_at(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

template <class T>
void set_option(int socket, int name, const T& value) {
    setsockopt(socket, SOL_SOCKET, name, &value, sizeof(value));
}

void guard(int socket) {
    const timeval limit{kGuard.count(), 0};
    set_option(socket, SO_RCVTIMEO, limit);
    set_option(socket, SO_SNDTIMEO, limit);
}

}  // namespace

RawSocket::RawSocket(int socket) : socket_(socket) {
    guard(socket_);
}

RawSocket::~RawSocket() {
    close();
}

RawSocket::RawSocket(RawSocket&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), seen_(std::move(other.seen_)) {}

RawSocket RawSocket::connect_to(const HostPort& address, int receive_buffer) {
    RawSocket made(socket(AF_INET, SOCK_STREAM, 0));
    if (receive_buffer != 0) {
        set_option(made.socket_, SO_RCVBUF, receive_buffer);
    }
    const sockaddr_in to = loopback_at(address.port);
    if (connect(made.socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
        throw std::runtime_error("cannot connect to " + to_string(address));
    }
    return made;
}

void RawSocket::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string RawSocket::receive() {
    std::string bytes(64UL * 1024, '\0');
    const ssize_t got = recv(socket_, bytes.data(), bytes.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        throw std::runtime_error("nothing came in time");
    }
    was_reset_ = was_reset_ || (got < 0 && errno == ECONNRESET);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
}

std::string RawSocket::receive_all() {
    std::string all = std::exchange(seen_, {});
    for (std::string more = receive(); !more.empty(); more = receive()) {
        all += more;
    }
    return all;
}

bool RawSocket::receive_until(std::string_view text) {
    while (!seen_.contains(text)) {
        const std::string more = receive();
        if (more.empty()) {
            return false;
        }
        seen_ += more;
    }
    return true;
}

void RawSocket::finish_sending() {
    shutdown(socket_, SHUT_WR);
}

void RawSocket::close() {
    if (socket_ >= 0) {
        ::close(std::exchange(socket_, -1));
    }
}

void RawSocket::reset() {
    set_option(socket_, SO_LINGER, linger{1, 0});
    close();
}

Answer RawClient::read_answer(bool to_head) {
    net::HttpParser parser(net::HttpParser::Kind::response);
    if (to_head) {
        parser.expect_no_body();
    }
    Answer answer;
    bool ended = false;
    while (!parser.message_done() && !ended) {
        const auto used = parser.feed(unread_);
        if (!used) {
            throw std::runtime_error("the answer is malformed: " + unread_);
        }
        for (const std::string_view piece : parser.body()) {
            answer.body += piece;
        }
        unread_.erase(0, *used);
        if (*used == 0 && !parser.message_done()) {
            unread_ = socket_.receive();
            ended = unread_.empty();
        }
    }
    answer.complete = parser.message_done() || (parser.finish() && !socket_.was_reset());
    answer.status = parser.head_done() ? parser.response().status : 0;
    answer.headers = parser.response().headers;
    return answer;
}

bool RawClient::at_end() {
    return unread_.empty() && socket_.receive().empty();
}

RawListener::RawListener(int backlog) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    guard(socket_);
    sockaddr_in address = loopback_at(0);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, generic, size) != 0 || listen(socket_, backlog) != 0 ||
        getsockname(socket_, generic, &size) != 0) {
        throw std::runtime_error("cannot listen");
    }
    address_ = HostPort{"127.0.0.1", ntohs(address.sin_port)};
}

RawListener::~RawListener() {
    ::close(socket_);
}

RawSocket RawListener::accept() {
    const int peer = ::accept(socket_, nullptr, nullptr);
    if (peer < 0) {
        throw std::runtime_error("nobody connected in time");
    }
    return RawSocket(peer);
}

}  // namespace orch::loopback
