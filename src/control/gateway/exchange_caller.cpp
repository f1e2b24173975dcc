#include "control/gateway/exchange_caller.hpp"

#include "control/gateway/request_headers.hpp"

#include <utility>

namespace orch::control::gateway {

net::Headers ExchangeCaller::headers_for_node(const std::string& token) const {
    return gateway::headers_for_node(exchange_, token);
}

void ExchangeCaller::served_by(const PoolKey& pool, std::uint32_t attempt) {
    served_by_ = pool;
    attempt_ = attempt;
}

void ExchangeCaller::add_place(net::Headers& headers) const {
    headers.add("X-Llorch-Node", served_by_.node.str());
    headers.add("X-Llorch-Pool", served_by_.pool.str());
    headers.add("X-Llorch-Attempts", std::to_string(attempt_));
}

Task<bool> ExchangeCaller::respond(net::Response response) {
    add_place(response.headers);
    return exchange_.respond(std::move(response));
}

Task<bool> ExchangeCaller::begin(int status, net::Headers headers, std::optional<Bytes> length) {
    add_place(headers);
    return exchange_.begin(status, std::move(headers), length);
}

Task<void> ExchangeCaller::refuse(Error error, api::ErrorDetails details) {
    co_await exchange_.respond_error(std::move(error), std::move(details), api::kDefaultBackoff);
}

Task<void> ExchangeCaller::break_off(Error error, bool event_stream) {
    exchange_.note("code", std::string(wire_name(error.code)));
    if (!event_stream) {
        exchange_.abort();
        co_return;
    }
    const api::ErrorBody body = api::make_error_body(error, exchange_.correlation());
    const std::string event = "data: " + api::to_json(body) + "\n\n";
    co_await exchange_.write(event);
    co_await exchange_.end();
}

void ExchangeCaller::closed(const RunSummary& summary) {
    if (summary.place) {
        exchange_.note("node_id", summary.place->node.str());
        exchange_.note("pool", summary.place->pool.str());
    }
    if (summary.machine) {
        exchange_.note("machine_id", summary.machine->str());
    }
    exchange_.note("attempts", std::to_string(summary.attempts));
    if (summary.tokens) {
        exchange_.note("tokens", std::to_string(*summary.tokens));
    }
}

}  // namespace orch::control::gateway
