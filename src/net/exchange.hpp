#pragma once

#include "api/error_body.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "net/connection.hpp"
#include "net/http_message.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orch::net {

class Edge;
struct Route;

// One request that a server received and the answer to it. Lives on its edge's thread from the
// request's head to the last byte of the answer; handlers get it by reference.
//
// Answering: respond() for a whole answer, or begin(), write()... and end() for a streamed one.
// Each returns false when the client is gone; abort() breaks the connection off, so that a client
// can tell a cut answer from a complete one.
class Exchange {
public:
    // `own_headers` go on every whole answer of this server; they outlive the exchange.
    Exchange(Edge& edge, Connection& connection, RequestHead head, const Headers& own_headers);

    // --- the request
    RequestHead& head() { return head_; }

    const RequestHead& head() const { return head_; }

    std::string& body() { return body_; }

    const std::string& body() const { return body_; }

    const Route* route() const { return route_; }

    const std::string& param(std::string_view name) const;  // a route's {name}; "" when absent

    const CorrelationId& correlation() const { return correlation_; }

    const std::string& traceparent() const { return traceparent_; }

    const std::string& identity() const { return identity_; }  // "localhost" or a token's fp6

    void set_identity(std::string identity) { identity_ = std::move(identity); }

    std::string remote_address() const { return connection_.peer_address(); }

    const std::vector<std::pair<std::string, std::string>>& params() const { return params_; }

    bool peer_is_loopback() const { return connection_.peer_is_loopback(); }

    // It came in at the address that is for the node of the same process alone.
    bool home_only() const { return home_only_; }

    Edge& edge() { return edge_; }

    // --- the answer
    Task<bool> respond(Response response);
    Task<bool> respond_error(Error error);
    Task<bool> respond_error(Error error, api::ErrorDetails details, Duration retry_after);

    // `length` absent: chunked (or until the connection closes, for an HTTP/1.0 client). Fields
    // that frame the answer or carry the correlation id are written here and left out of `headers`.
    Task<bool> begin(int status, Headers headers, std::optional<Bytes> length);
    Task<bool> write(std::string_view bytes);
    Task<bool> end();
    void abort();

    bool begun() const { return status_ != 0; }

    bool finished() const { return finished_; }

    bool client_gone() const { return client_gone_; }

    int status() const { return status_; }

    Bytes bytes_sent() const { return bytes_sent_; }

    // `react` is called once if the client leaves from now on and before the answer is complete; an
    // empty function takes the wish back. Several calls replace each other. Forgotten when the
    // handler returns.
    void on_client_gone(std::function<void()> react) { on_gone_ = std::move(react); }

    // More key=value pairs for the access line of this request.
    void note(std::string name, std::string value);

    const std::vector<std::pair<std::string, std::string>>& notes() const { return notes_; }

private:
    friend class ServerConnection;

    void peer_left();
    std::string make_head(int status, const Headers& headers, std::optional<Bytes> length);
    Task<bool> send(std::vector<asio::const_buffer> pieces);

    Edge& edge_;
    Connection& connection_;
    const Headers* own_headers_;
    RequestHead head_;
    std::string body_;
    const Route* route_ = nullptr;
    std::vector<std::pair<std::string, std::string>> params_;
    CorrelationId correlation_;
    std::string traceparent_;
    std::string identity_;
    std::vector<std::pair<std::string, std::string>> notes_;

    std::function<void()> on_gone_;
    bool client_gone_ = false;
    bool home_only_ = false;
    bool close_after_ = false;  // no further request on this connection
    std::string allow_;         // the verbs of a 405
    bool chunked_ = false;
    bool until_close_ = false;  // only the connection's end ends the body
    bool bodiless_ = false;
    bool finished_ = false;
    int status_ = 0;  // 0 = not begun
    Bytes bytes_sent_ = 0;
};

}  // namespace orch::net
