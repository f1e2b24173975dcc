#include "net/client_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace orch::net {
namespace {

constexpr Duration kWriteLimit = std::chrono::seconds(60);

bool is_ours(std::string_view name) {
    static constexpr std::array<std::string_view, 4> kNames{
        "Host", "Content-Length", "Transfer-Encoding", "Connection"
    };
    return std::ranges::any_of(kNames, [name](std::string_view ours) {
        return iequals(name, ours);
    });
}

// A target that could end the request line early, and begin another, never leaves.
bool is_target(std::string_view text) {
    return !text.empty() &&
           std::ranges::none_of(text, [](char c) { return (c >= 0 && c <= ' ') || c == '\x7f'; });
}

std::string head_text(const ClientRequest& request) {
    std::string out;
    out.reserve(512);
    auto sink = std::back_inserter(out);
    fmt::format_to(sink, "{} {} HTTP/1.1\r\n", to_string(request.method), request.target);
    fmt::format_to(sink, "Host: {}\r\n", to_string(request.to));
    for (const auto& [name, value] : request.headers.fields()) {
        if (!is_ours(name)) {
            append_field(out, name, value);
        }
    }
    if (!request.body.empty() || request.method == Method::post || request.method == Method::put) {
        fmt::format_to(sink, "Content-Length: {}\r\n", request.body.size());
    }
    out += "\r\n";
    return out;
}

}  // namespace

ClientExchange::ClientExchange(ClientPool& pool) : pool_(pool) {}

ClientExchange::~ClientExchange() = default;

Task<UpstreamFailure> ClientExchange::send(ClientRequest request) {
    if (!is_target(request.target)) {
        co_return UpstreamFailure::malformed;
    }
    to_ = Peer(request.to, request.tls);
    UpstreamFailure failure = co_await attempt(&request, false);
    const bool broke =
        failure == UpstreamFailure::reset_before_head || failure == UpstreamFailure::tls_failed;
    const bool stale = broke && connection_ && reused_ && !any_byte_;
    if (stale && !closed_) {
        failure = co_await attempt(&request, true);
    }
    if (failure != UpstreamFailure::none && connection_) {
        connection_->close();
    }
    co_return closed_ ? UpstreamFailure::cancelled : failure;
}

Task<UpstreamFailure> ClientExchange::attempt(const ClientRequest* request, bool fresh) {
    PooledConnection pooled;
    if (fresh) {
        pooled = co_await pool_.connect(to_, request->connect_limit, connect_stop_);
    } else {
        pooled = co_await pool_.acquire(to_, request->connect_limit, connect_stop_);
    }
    if (!pooled.connection) {
        detail_ = std::move(pooled.detail);
        co_return pooled.failure;
    }
    if (closed_) {
        co_return UpstreamFailure::cancelled;
    }
    connection_ = std::move(pooled.connection);
    reused_ = pooled.reused;
    any_byte_ = false;
    parser_.reset();
    if (request->method == Method::head) {
        parser_.expect_no_body();
    }
    const std::string head = head_text(*request);
    std::vector<asio::const_buffer> pieces{asio::buffer(head)};
    if (!request->body.empty()) {
        pieces.emplace_back(request->body.data(), request->body.size());
    }
    // A peer may answer and close before it has read everything: its answer counts, so a failed
    // write is no reason not to read.
    written_ = co_await connection_->write(std::move(pieces), kWriteLimit);
    const UpstreamFailure read = co_await read_head(request->first_byte_limit);
    if (!written_ && read != UpstreamFailure::none) {
        co_return blame(UpstreamFailure::reset_before_head);
    }
    co_return blame(read);
}

// A server that wants a certificate says so only after a TLS 1.3 handshake.
UpstreamFailure ClientExchange::blame(UpstreamFailure failure) {
    if (failure != UpstreamFailure::reset_before_head || connection_->tls_error().empty()) {
        return failure;
    }
    detail_ = connection_->tls_error();
    return UpstreamFailure::tls_failed;
}

std::string ClientExchange::describe(UpstreamFailure failure) const {
    const std::string_view what = to_string(failure);
    return failure == UpstreamFailure::tls_failed ? fmt::format("{}: {}", what, detail_)
                                                  : std::string(what);
}

Task<UpstreamFailure> ClientExchange::read_head(Duration limit) {
    const Instant end = pool_.deadlines().now() + limit;
    while (!parser_.head_done()) {
        const Duration left = end - pool_.deadlines().now();
        const ReadEnd read = co_await connection_->fill(left);
        if (read == ReadEnd::timed_out) {
            co_return UpstreamFailure::first_byte_timeout;
        }
        if (read != ReadEnd::data) {
            co_return UpstreamFailure::reset_before_head;
        }
        any_byte_ = true;
        if (!feed()) {
            co_return UpstreamFailure::malformed;
        }
    }
    // llhttp stops behind the head: what follows is taken in here, the end of an empty body too.
    co_return feed() ? UpstreamFailure::none : UpstreamFailure::malformed;
}

bool ClientExchange::feed() {
    const auto used = parser_.feed(connection_->buffered());
    if (!used) {
        return false;
    }
    pieces_.assign(parser_.body().begin(), parser_.body().end());
    connection_->consume(*used);
    return true;
}

BodyPiece ClientExchange::next_piece() {
    const std::string_view bytes = pieces_.front();
    pieces_.pop_front();
    return {BodyPiece::State::data, bytes, UpstreamFailure::none};
}

Task<BodyPiece> ClientExchange::read(Duration limit) {
    while (pieces_.empty()) {
        if (parser_.message_done()) {
            finish();
            co_return BodyPiece{BodyPiece::State::complete, {}, UpstreamFailure::none};
        }
        if (closed_ || !connection_) {
            co_return failed(UpstreamFailure::cancelled);
        }
        const ReadEnd end = co_await connection_->fill(limit);
        if (end == ReadEnd::timed_out) {
            co_return failed(UpstreamFailure::idle_timeout);
        }
        const bool ended_by_close = end == ReadEnd::closed && !closed_ && parser_.finish();
        if (end != ReadEnd::data && !ended_by_close) {
            co_return failed(UpstreamFailure::reset_mid_body);
        }
        if (!ended_by_close && !feed()) {
            co_return failed(UpstreamFailure::malformed);
        }
    }
    co_return next_piece();
}

BodyPiece ClientExchange::failed(UpstreamFailure failure) {
    if (connection_) {
        connection_->close();
    }
    return {BodyPiece::State::failed, {}, closed_ ? UpstreamFailure::cancelled : failure};
}

void ClientExchange::finish() {
    if (connection_ && written_ && connection_->is_open() && head().keep_alive &&
        connection_->buffered().empty()) {
        pool_.put_back(to_, std::move(connection_));
    }
    connection_.reset();
}

void ClientExchange::shorten_wait(Duration limit) {
    if (connection_) {
        connection_->shorten_wait(limit);
    }
}

void ClientExchange::close() {
    closed_ = true;
    connect_stop_.stop();
    if (connection_) {
        connection_->close();
    }
}

}  // namespace orch::net
