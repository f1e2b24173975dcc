#include "node/models/model_fetch.hpp"

#include "net/byte_range.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::node::models {
namespace {

constexpr int kAttempts = 4;  // connections that may break off
constexpr int kRedirections = 5;
constexpr Bytes kPiece = kMiB;
constexpr Duration kConnectLimit = std::chrono::seconds(5);
constexpr Duration kHeadLimit = std::chrono::seconds(60);
constexpr Duration kIdleLimit = std::chrono::seconds(60);
constexpr Duration kPause = std::chrono::seconds(1);

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

ModelFetch::ModelFetch(Parts parts, HttpSource source, std::string token, OnProgress on_progress)
    : parts_(parts),
      source_(std::move(source)),
      token_(std::move(token)),
      on_progress_(std::move(on_progress)) {}

void ModelFetch::stop() {
    stopped_ = true;
    if (exchange_ != nullptr) {
        exchange_->close();
    }
}

std::string ModelFetch::where() const {
    return shown_source(to_string(source_.address) + source_.target);
}

Task<Result<void>> ModelFetch::run(PartialFile& file) {
    int attempts = 0;
    int redirections = 0;
    for (;;) {
        Attempt made = co_await attempt(file);
        if (stopped_) {
            co_return fail(Errc::cancelled, "it was cancelled");
        }
        if (redirected_ && made.again) {
            if (++redirections > kRedirections) {
                co_return fail(Errc::invalid_params, "source: redirects too often");
            }
            continue;
        }
        if (made.result || !made.again || ++attempts >= kAttempts) {
            co_return made.result;
        }
        co_await parts_.clock.sleep_for(kPause);
    }
}

net::ClientRequest ModelFetch::make_request(const PartialFile& file) const {
    net::ClientRequest request;
    request.to = HostPort{source_.address.host, source_.address.port};
    request.tls = source_.address.tls;
    request.target = source_.target;
    request.connect_limit = kConnectLimit;
    request.first_byte_limit = kHeadLimit;
    if (!token_.empty()) {
        request.headers.add("Authorization", "Bearer " + token_);
    }
    if (file.written() > 0 && !etag_.empty()) {
        request.headers.add("Range", fmt::format("bytes={}-", file.written()));
        request.headers.add("If-Range", etag_);
    }
    return request;
}

Task<ModelFetch::Attempt> ModelFetch::attempt(PartialFile& file) {
    redirected_ = false;
    net::ClientExchange exchange(parts_.clients);
    exchange_ = &exchange;
    const net::UpstreamFailure failure = co_await exchange.send(make_request(file));
    Attempt made;
    if (failure != net::UpstreamFailure::none) {
        made = {
            fail(
                Errc::worker_reset,
                fmt::format("source: {}: {}", where(), exchange.describe(failure))
            ),
            true
        };
    } else {
        made = co_await take_head(exchange, file);
        if (made.result) {
            made = co_await take_body(exchange, file);
        }
    }
    exchange_ = nullptr;
    exchange.close();
    co_return made;
}

Task<ModelFetch::Attempt> ModelFetch::take_head(net::ClientExchange& exchange, PartialFile& file) {
    const net::ResponseHead& head = exchange.head();
    if (is_redirect(head.status)) {
        auto to = follow_redirect(source_, head.headers.find("Location").value_or(""));
        if (!to) {
            co_return Attempt{std::unexpected(to.error())};
        }
        source_ = std::move(*to);
        token_.clear();
        redirected_ = true;
        co_return Attempt{fail(Errc::internal, "source: redirects"), true};
    }
    const auto range = net::first_byte_of(head.headers.find("Content-Range").value_or(""));
    const bool goes_on = head.status == 206 && range == file.written();
    if (head.status != 200 && !goes_on) {
        co_return Attempt{fail(
            Errc::worker_reset,
            fmt::format("source: {} answers with status {}", where(), head.status)
        )};
    }
    if (!goes_on && file.written() > 0) {
        auto restarted = co_await parts_.blocking.offload([&file] { return file.restart(); });
        if (!restarted) {
            co_return Attempt{std::move(restarted)};
        }
    }
    const std::string_view etag = head.headers.find("ETag").value_or("");
    etag_ = etag.starts_with('"') ? etag : "";
    total_ = head.content_length ? file.written() + *head.content_length : 0;
    co_return Attempt{on_progress_(file.written(), total_)};
}

Task<ModelFetch::Attempt> ModelFetch::take_body(net::ClientExchange& exchange, PartialFile& file) {
    buffer_.clear();
    buffer_.reserve(kPiece + 64 * kKiB);
    for (;;) {
        const net::BodyPiece piece = co_await exchange.read(kIdleLimit);
        buffer_ += piece.bytes;
        const bool data = piece.state == net::BodyPiece::State::data;
        if (!data || buffer_.size() >= kPiece) {
            auto written = co_await flush(file);
            if (!written) {
                co_return Attempt{std::move(written)};
            }
        }
        if (piece.state == net::BodyPiece::State::complete) {
            co_return Attempt{};
        }
        if (!data) {
            std::string why = fmt::format("source: {}: {}", where(), to_string(piece.failure));
            co_return Attempt{fail(Errc::worker_reset, std::move(why)), true};
        }
    }
}

Task<Result<void>> ModelFetch::flush(PartialFile& file) {
    const auto write = [&file, &buffer = buffer_] { return file.append(buffer); };
    auto written = co_await parts_.blocking.offload(write);
    buffer_.clear();
    if (stopped_) {
        co_return fail(Errc::cancelled, "it was cancelled");
    }
    co_return written ? on_progress_(file.written(), total_) : written;
}

}  // namespace orch::node::models
