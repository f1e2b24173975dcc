#pragma once

#include "async/task.hpp"
#include "net/deadline_list.hpp"
#include "net/tls_session.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace orch::net {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

// How a read ended.
enum class ReadEnd {
    data,
    closed,  // the peer has sent all it wanted to
    broken,  // reset, cancelled or closed by us: nobody knows what is missing
    timed_out,
};

// How a TLS handshake ended.
enum class HandshakeEnd {
    done,
    plain,  // an accepted connection on which plain text came: it is buffered and TLS is off
    failed,
    timed_out,
};

// A TCP connection, with TLS on top after start_tls(), its read buffer and its time limit. One
// thread; either one read or one write at a time. close() may be called in the middle of it and
// ends it.
class Connection {
public:
    Connection(Socket socket, DeadlineList& deadlines);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Speaks TLS from here on. Before anything else is read or written; `limit` bounds all of it.
    Task<HandshakeEnd> start_tls(std::unique_ptr<TlsSession> session, Duration limit);

    // Null in plain text.
    const TlsSession* tls() const;

    // Why TLS failed, for people; empty otherwise. Stays after close().
    const std::string& tls_error() const { return tls_error_; }

    // Waits at most `limit` for more bytes behind what is buffered. One that timed out leaves the
    // connection open: there may still be something to say.
    Task<ReadEnd> fill(Duration limit);

    std::string_view buffered() const;

    void consume(std::size_t bytes) { begin_ += bytes; }

    // Writes all of it; `limit` bounds each wait for the peer to take some. False when the peer is
    // gone, what it said before can still be read, or too slow: then the connection is closed.
    Task<bool> write(std::vector<asio::const_buffer> pieces, Duration limit);

    // The read that is being waited for ends with timed_out after `limit` in all, if not sooner.
    void shorten_wait(Duration limit) { deadline_.shorten(limit); }

    // Calls on_gone once if the peer closes its side or breaks off while nobody reads, also behind
    // bytes that it sent ahead.
    void watch_peer(std::function<void()> on_gone);
    void stop_watching();

    // Sends FIN and discards what the peer still sends, so that it can read our last words instead
    // of being reset; then closes.
    Task<void> linger_and_close();

    void close();

    // Closes so that the peer sees an error, not an end.
    void reset();

    bool is_open() const { return socket_.is_open(); }

    // "10.0.0.7"; empty once the peer is gone.
    std::string peer_address() const;

    bool peer_is_loopback() const { return peer_is_loopback_; }

    Socket& socket() { return socket_; }

private:
    struct Watch;
    struct TlsStream;

    Task<ReadEnd> fill_plain(Duration limit);
    Task<ReadEnd> fill_tls(Duration limit);
    Task<bool> write_plain(std::vector<asio::const_buffer> pieces, Duration limit);
    Task<bool> write_tls(std::vector<asio::const_buffer> pieces, Duration limit);
    Task<bool> receive_tls();
    Task<bool> send_tls(Duration limit);
    ReadEnd end_of_read(const boost::system::error_code& failure) const;
    void say_end();
    void make_room();
    void on_time_up();
    void look_at_peer();

    Socket socket_;
    Deadline deadline_;
    Deadline next_look_;  // at a peer whose bytes hide whether it left
    std::unique_ptr<char[]> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::shared_ptr<Watch> watch_;
    std::unique_ptr<TlsStream> tls_;
    std::string tls_error_;
    bool writing_ = false;
    bool peer_is_loopback_ = false;
};

}  // namespace orch::net
