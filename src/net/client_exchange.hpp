#pragma once

#include "net/client_pool.hpp"
#include "net/http_message.hpp"
#include "net/http_parser.hpp"

#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace orch::net {

// A request to send upstream. Host, Content-Length, Transfer-Encoding and Connection are written by
// the exchange and left out of `headers`; a target with a space or a control character is refused
// as malformed.
struct ClientRequest {
    Method method = Method::get;
    HostPort to;
    bool tls = false;  // https: `to` is also the name that the peer's certificate must be for
    std::string target;
    Headers headers;
    std::string_view body;  // outlives the exchange
    Duration connect_limit = std::chrono::seconds(1);
    Duration first_byte_limit = std::chrono::seconds(600);  // to the end of the answer's head
};

// One step of an answer's body.
struct BodyPiece {
    enum class State { data, complete, failed };
    State state = State::failed;
    std::string_view bytes;  // valid until the next read
    UpstreamFailure failure = UpstreamFailure::none;
};

// One request and its answer on a connection of the pool. One coroutine at a time; close() may be
// called in between from the same thread and ends whatever is awaited with `cancelled`.
//
//     if (co_await exchange.send(request) == UpstreamFailure::none) {
//         exchange.head() ...; while ((co_await exchange.read(limit)).state == data) ...
//
// A reused connection that dies before a byte of the answer is replaced once by a new one: the
// peer had closed it in between.
class ClientExchange {
public:
    explicit ClientExchange(ClientPool& pool);
    ~ClientExchange();
    ClientExchange(const ClientExchange&) = delete;
    ClientExchange& operator=(const ClientExchange&) = delete;

    Task<UpstreamFailure> send(ClientRequest request);

    ResponseHead& head() { return parser_.response(); }

    // The last failure in words, with the cause where TLS knows one.
    std::string describe(UpstreamFailure failure) const;

    // The next piece of the body; `limit` bounds the wait for it.
    Task<BodyPiece> read(Duration limit);

    // The piece or head that is being waited for may take `limit` in all: its sender is in doubt.
    void shorten_wait(Duration limit);

    // True when everything of the answer has been read: the next read() says complete.
    bool at_end() const { return pieces_.empty() && parser_.message_done(); }

    void close();

private:
    Task<UpstreamFailure> attempt(const ClientRequest* request, bool fresh);
    Task<UpstreamFailure> read_head(Duration limit);
    bool feed();
    BodyPiece next_piece();
    BodyPiece failed(UpstreamFailure failure);
    void finish();

    UpstreamFailure blame(UpstreamFailure failure);

    ClientPool& pool_;
    Peer to_;
    std::string detail_;
    std::unique_ptr<Connection> connection_;
    ConnectStop connect_stop_;
    HttpParser parser_{HttpParser::Kind::response};
    std::deque<std::string_view> pieces_;
    bool reused_ = false;
    bool any_byte_ = false;
    bool written_ = false;  // the whole request
    bool closed_ = false;
};

}  // namespace orch::net
