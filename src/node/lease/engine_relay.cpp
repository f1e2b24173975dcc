#include "node/lease/engine_relay.hpp"

#include "api/http_address.hpp"
#include "engine/allow_list.hpp"
#include "node/lease/relay_headers.hpp"

#include <fmt/format.h>

#include <iterator>

namespace orch::node::lease {
namespace {

using net::UpstreamFailure;
using Piece = net::BodyPiece::State;

constexpr Duration kConnectLimit = std::chrono::seconds(2);

// The gateway knows how long a request may take; a node only has to end some day.
constexpr Duration kAnswerLimit = std::chrono::hours(24);

constexpr Duration kSuspicion = std::chrono::seconds(2);

}  // namespace

EngineRelay::EngineRelay(net::Edge& edge, OnRefused on_refused, Logger log)
    : edge_(edge),
      on_refused_(std::move(on_refused)),
      log_(log),
      lingering_(edge, std::move(log)),
      view_(std::make_shared<lifecycle::PoolsView>()) {}

Task<void> EngineRelay::serve(net::Exchange& exchange) {
    const std::string path = "/" + exchange.param("path");
    auto lease = lease_for(exchange, path);
    if (!lease) {
        co_await exchange.respond_error(std::move(lease.error()));
        co_return;
    }
    co_await carry(exchange, std::move(*lease), path);
}

Result<Lease> EngineRelay::lease_for(const net::Exchange& exchange, const std::string& path) {
    const PoolId id(exchange.param("id"));
    auto pool = view_->find(id);
    if (!pool) {
        return fail(Errc::not_found, fmt::format("pool {}: not on this node", id.str()));
    }
    const std::string_view method = net::to_string(exchange.head().method);
    const auto rule = engine::find_relay_rule(pool->spec->engine, method, path);
    if (!rule) {
        return fail(Errc::not_found, fmt::format("{} {} is not relayed to engines", method, path));
    }
    if (!pool->ready() || pool->draining) {
        return fail(
            Errc::pool_unready,
            fmt::format("pool {}: {}", id.str(), pool->draining ? "draining" : "not ready")
        );
    }
    auto lease = rule->slot == engine::SlotNeed::lease ? Lease::take(pool, edge_.clock().now())
                                                       : Lease::none_needed(pool);
    if (!lease) {
        return fail(Errc::replica_exhausted, fmt::format("pool {}: no free slot", id.str()));
    }
    return std::move(*lease);
}

net::ClientRequest EngineRelay::engine_request(
    const net::Exchange& exchange, const Lease& lease, const std::string& path
) const {
    net::ClientRequest request;
    // The table holds only URLs that were parsed before.
    const auto address = api::parse_http_address(lease.replica().url, "url");
    request.to = HostPort{address->host, address->port};
    request.method = exchange.head().method;
    request.target = path;
    if (const std::string_view query = exchange.head().query(); !query.empty()) {
        request.target += fmt::format("?{}", query);
    }
    request.headers = headers_for_engine(exchange);
    request.body = exchange.body();
    request.connect_limit = kConnectLimit;
    request.first_byte_limit = kAnswerLimit;
    return request;
}

Task<void> EngineRelay::carry(net::Exchange& exchange, Lease lease, std::string path) {
    exchange.note("pool", lease.pool().spec->id.str());
    exchange.note("replica", lease.replica().id.str());
    net::ClientExchange upstream(edge_.clients());
    const auto live =
        live_.insert(live_.end(), {lease.pool().spec->id, lease.replica().id, &upstream});
    exchange.on_client_gone([&upstream] { upstream.close(); });
    net::ClientRequest request = engine_request(exchange, lease, path);
    const UpstreamFailure failure = co_await upstream.send(std::move(request));
    if (failure == UpstreamFailure::none) {
        co_await carry_answer(exchange, upstream, lease);
    }
    live_.erase(live);
    exchange.on_client_gone(nullptr);
    if (exchange.client_gone()) {
        lingering_.add(std::move(lease));
        co_return;
    }
    if (failure != UpstreamFailure::none) {
        Error error = failure_of(lease, failure);
        lease.release();
        co_await exchange.respond_error(std::move(error));
    }
}

Task<void> EngineRelay::carry_answer(
    net::Exchange& exchange, net::ClientExchange& upstream, Lease& lease
) {
    net::Headers headers = headers_from_engine(upstream.head().headers, lease.replica().id);
    const int status = upstream.head().status;
    const auto length = upstream.head().content_length;
    bool sent = co_await exchange.begin(status, std::move(headers), length);
    while (sent) {
        const net::BodyPiece piece = co_await upstream.read(kAnswerLimit);
        if (upstream.at_end()) {
            // The slot is free before the caller can know that the answer is over.
            lease.release();
        }
        if (piece.state == Piece::complete) {
            co_await exchange.end();
            co_return;
        }
        if (piece.state == Piece::failed) {
            // Cut off without an end, so that the gateway can tell a death from an answer.
            exchange.abort();
            co_return;
        }
        sent = co_await exchange.write(piece.bytes);
    }
    upstream.close();
}

Error EngineRelay::failure_of(const Lease& lease, UpstreamFailure failure) {
    const PoolId& pool = lease.pool().spec->id;
    const ReplicaId& replica = lease.replica().id;
    lease.replica().cell->suspect_until(edge_.clock().now() + kSuspicion);
    if (failure == UpstreamFailure::refused) {
        on_refused_(pool, replica);
    }
    return {
        Errc::worker_reset,
        fmt::format("engine {}/{}: {}", pool.str(), replica.str(), to_string(failure)),
        {},
    };
}

void EngineRelay::close_relays(const PoolId& pool, const ReplicaId& replica) {
    for (const Live& live : live_) {
        if (live.pool == pool && live.replica == replica) {
            live.upstream->close();
        }
    }
}

}  // namespace orch::node::lease
