#include "node/models/blob_server.hpp"

#include "net/byte_range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace orch::node::models {
namespace {

constexpr Bytes kPiece = 256 * kKiB;

struct Piece {
    std::string bytes;
    bool failed = false;
};

net::Headers make_headers(const std::string& etag) {
    net::Headers headers;
    headers.add("Content-Type", "application/octet-stream");
    headers.add("Accept-Ranges", "bytes");
    headers.add("ETag", etag);
    headers.add("X-Llorch-Origin", "node");
    return headers;
}

// A part of another version is of no use: such a request gets the whole.
std::string_view wanted_range(const net::Headers& headers, const std::string& etag) {
    const auto condition = headers.find("If-Range");
    return condition && *condition != etag ? "" : headers.find("Range").value_or("");
}

Task<void> refuse_range(net::Exchange& exchange, Bytes size) {
    const Error error{
        Errc::invalid_params,
        fmt::format("Range: must lie within the {} bytes of the file", size),
        {}
    };
    net::Response response =
        net::json_response(416, api::to_json(api::make_error_body(error, exchange.correlation())));
    response.headers.add("Content-Range", fmt::format("bytes */{}", size));
    co_await exchange.respond(std::move(response));
}

Task<void> send(
    net::Exchange& exchange, async::BlockingPool& blocking, int file, net::ByteRange range
) {
    for (Bytes at = range.first; at <= range.last;) {
        const auto read = [file, at, room = std::min(kPiece, range.last - at + 1)] {
            Piece piece;
            piece.bytes.resize(room);
            const auto count = read_at(file, piece.bytes.data(), room, at);
            piece.failed = !count || *count == 0;
            piece.bytes.resize(count.value_or(0));
            return piece;
        };
        const Piece piece = co_await blocking.offload(read);
        if (piece.failed) {  // cut short meanwhile: nobody shall take the part for the whole
            exchange.abort();
            co_return;
        }
        at += piece.bytes.size();
        if (!co_await exchange.write(piece.bytes)) {
            co_return;
        }
    }
    co_await exchange.end();
}

}  // namespace

Task<void> serve_blob(net::Exchange& exchange, async::BlockingPool& blocking, BlobPlace place) {
    const auto look = [path = place.path] { return open_regular(path, false); };
    auto opened = co_await blocking.offload(look);
    if (!opened) {
        co_await exchange.respond_error(std::move(opened.error()));
        co_return;
    }
    const Bytes size = opened->facts.bytes;
    const std::string etag = fmt::format("\"{}\"", place.digest);
    const auto asked = net::parse_byte_range(wanted_range(exchange.head().headers, etag), size);
    if (std::holds_alternative<net::RangeOutsideBody>(asked)) {
        co_await refuse_range(exchange, size);
        co_return;
    }
    net::Headers headers = make_headers(etag);
    const auto* const part = std::get_if<net::ByteRange>(&asked);
    if (part != nullptr) {
        headers.add("Content-Range", net::content_range(*part, size));
    }
    const Bytes length = part != nullptr ? part->length() : size;
    const int status = part != nullptr ? 206 : 200;
    if (!co_await exchange.begin(status, std::move(headers), length)) {
        co_return;
    }
    if (length == 0) {
        co_await exchange.end();
        co_return;
    }
    const net::ByteRange range = part != nullptr ? *part : net::ByteRange{0, size - 1};
    co_await send(exchange, blocking, opened->file.get(), range);
}

}  // namespace orch::node::models
