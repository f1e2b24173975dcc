#include "net/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace orch::net {
namespace {

constexpr Duration kWriteLimit = std::chrono::seconds(60);

bool has_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

bool is_ours(std::string_view name) {
    static constexpr std::array<std::string_view, 5> kNames{
        "Content-Length", "Transfer-Encoding", "Connection", "X-Correlation-Id", "X-Request-Id"
    };
    return std::ranges::any_of(kNames, [name](std::string_view ours) {
        return iequals(name, ours);
    });
}

}  // namespace

Exchange::Exchange(Edge& edge, Connection& connection, RequestHead head, const Headers& own_headers)
    : edge_(edge), connection_(connection), own_headers_(&own_headers), head_(std::move(head)) {}

const std::string& Exchange::param(std::string_view name) const {
    static const std::string none;
    for (const auto& [key, value] : params_) {
        if (key == name) {
            return value;
        }
    }
    return none;
}

void Exchange::note(std::string name, std::string value) {
    notes_.emplace_back(std::move(name), std::move(value));
}

Task<bool> Exchange::send(std::vector<asio::const_buffer> pieces) {
    if (client_gone_) {
        co_return false;
    }
    const std::size_t bytes = asio::buffer_size(pieces);
    const bool sent = co_await connection_.write(std::move(pieces), kWriteLimit);
    if (!sent) {
        peer_left();
    }
    bytes_sent_ += sent ? bytes : 0;
    co_return sent;
}

std::string Exchange::make_head(int status, const Headers& headers, std::optional<Bytes> length) {
    status_ = status;
    bodiless_ = head_.method == Method::head || !has_body(status);
    chunked_ = has_body(status) && !length && head_.version_minor > 0;
    until_close_ = !bodiless_ && !length && !chunked_;
    close_after_ = close_after_ || !head_.keep_alive || until_close_;
    std::string text;
    text.reserve(512);
    auto sink = std::back_inserter(text);
    fmt::format_to(sink, "HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
    for (const auto& [name, value] : headers.fields()) {
        if (!is_ours(name)) {
            append_field(text, name, value);
        }
    }
    fmt::format_to(sink, "X-Correlation-Id: {0}\r\nX-Request-Id: {0}\r\n", correlation_.str());
    if (chunked_) {
        text += "Transfer-Encoding: chunked\r\n";
    } else if (length && has_body(status)) {
        fmt::format_to(sink, "Content-Length: {}\r\n", *length);
    }
    if (close_after_) {
        text += "Connection: close\r\n";
    } else if (head_.version_minor == 0) {
        text += "Connection: keep-alive\r\n";
    }
    text += "\r\n";
    return text;
}

Task<bool> Exchange::begin(int status, Headers headers, std::optional<Bytes> length) {
    const std::string head = make_head(status, headers, length);
    std::vector<asio::const_buffer> pieces{asio::buffer(head)};
    co_return co_await send(std::move(pieces));
}

Task<bool> Exchange::write(std::string_view bytes) {
    if (bytes.empty() || bodiless_) {
        co_return !client_gone_;
    }
    if (!chunked_) {
        std::vector<asio::const_buffer> plain{asio::buffer(bytes)};
        co_return co_await send(std::move(plain));
    }
    std::array<char, 20> size{};
    const auto end = fmt::format_to_n(size.data(), size.size(), "{:x}\r\n", bytes.size());
    std::vector<asio::const_buffer> pieces;
    pieces.emplace_back(size.data(), end.size);
    pieces.emplace_back(bytes.data(), bytes.size());
    pieces.emplace_back("\r\n", 2);
    co_return co_await send(std::move(pieces));
}

Task<bool> Exchange::end() {
    bool sent = !client_gone_;
    if (chunked_ && !bodiless_) {
        std::vector<asio::const_buffer> last;
        last.emplace_back("0\r\n\r\n", 5);
        sent = co_await send(std::move(last));
    }
    finished_ = true;
    co_return sent;
}

// Head and body in one write: most answers are small, and each write is a system call.
Task<bool> Exchange::respond(Response response) {
    for (const auto& [name, value] : own_headers_->fields()) {
        response.headers.add(name, value);
    }
    const std::string head = make_head(response.status, response.headers, response.body.size());
    std::vector<asio::const_buffer> pieces{asio::buffer(head)};
    if (!bodiless_ && !response.body.empty()) {
        pieces.emplace_back(response.body.data(), response.body.size());
    }
    const bool sent = co_await send(std::move(pieces));
    finished_ = true;
    co_return sent;
}

Task<bool> Exchange::respond_error(Error error) {
    api::ErrorDetails none;
    co_return co_await respond_error(std::move(error), std::move(none), api::kDefaultBackoff);
}

Task<bool> Exchange::respond_error(Error error, api::ErrorDetails details, Duration retry_after) {
    const api::ErrorBody body =
        details.candidates || details.nodes
            ? api::make_error_body(error, correlation_, std::move(details), retry_after)
            : api::make_error_body(error, correlation_, retry_after);
    const auto status = static_cast<int>(api::error_traits(error.code).status);
    Response response = json_response(status, api::to_json(body));
    if (const auto backoff = api::backoff_headers(body)) {
        response.headers.add("Retry-After", backoff->retry_after);
        response.headers.add("X-Backoff-Ms", backoff->backoff_ms);
    }
    if (!allow_.empty()) {
        response.headers.add("Allow", allow_);
    }
    note("code", std::string(wire_name(error.code)));
    if (!error.detail.empty()) {
        note("detail", error.detail);
    }
    co_return co_await respond(std::move(response));
}

void Exchange::abort() {
    close_after_ = true;
    if (until_close_) {
        connection_.reset();
    } else {
        connection_.close();
    }
}

void Exchange::peer_left() {
    if (!client_gone_ && !finished_) {
        client_gone_ = true;
        close_after_ = true;
        if (on_gone_) {
            const std::function<void()> react = std::move(on_gone_);
            on_gone_ = nullptr;
            react();
        }
    }
}

}  // namespace orch::net
