#pragma once

#include "base/host_port.hpp"
#include "net/http_message.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace orch::loopback {

// A blocking socket that sends whatever a test wants to be sent. Reads give up after the guard.
class RawSocket {
public:
    explicit RawSocket(int socket);
    ~RawSocket();
    RawSocket(RawSocket&& other) noexcept;
    RawSocket& operator=(RawSocket&&) = delete;

    static RawSocket connect_to(const HostPort& address, int receive_buffer = 0);

    // Sends all of it, unless the peer breaks off.
    void send(std::string_view bytes);

    // Some bytes; empty at the end or when the peer broke off.
    std::string receive();

    // Everything until the end.
    std::string receive_all();

    // Until `text` has come; false at the end.
    bool receive_until(std::string_view text);

    bool was_reset() const { return was_reset_; }

    void finish_sending();
    void close();
    void reset();  // closes with RST

private:
    int socket_;
    std::string seen_;
    bool was_reset_ = false;
};

// One answer as a client read it.
struct Answer {
    int status = 0;
    net::Headers headers;
    std::string body;
    bool complete = false;  // false: the connection ended first

    std::string header(std::string_view name) const {
        return std::string(headers.find(name).value_or(""));
    }
};

// Reads answers one after the other from one connection.
class RawClient {
public:
    explicit RawClient(const HostPort& address) : socket_(RawSocket::connect_to(address)) {}

    RawSocket& socket() { return socket_; }

    void send(std::string_view bytes) { socket_.send(bytes); }

    Answer read_answer(bool to_head = false);

    Answer ask(std::string_view request) {
        send(request);
        return read_answer();
    }

    // True when the server has closed and nothing came before that.
    bool at_end();

private:
    RawSocket socket_;
    std::string unread_;
};

// A listening socket on a free loopback port, for peers that misbehave.
class RawListener {
public:
    explicit RawListener(int backlog = 16);
    ~RawListener();
    RawListener(const RawListener&) = delete;
    RawListener& operator=(const RawListener&) = delete;

    RawSocket accept();

    HostPort address() const { return address_; }

private:
    int socket_;
    HostPort address_;
};

}  // namespace orch::loopback
