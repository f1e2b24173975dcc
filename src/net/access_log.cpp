#include "net/access_log.hpp"

#include "net/correlation.hpp"

#include <utility>
#include <vector>

namespace orch::net {
namespace {

LogLevel level_of(const Exchange& exchange) {
    if (exchange.status() >= 500) {
        return LogLevel::warn;
    }
    const bool exempt =
        exchange.route() != nullptr && exchange.route()->auth == auth::AuthClass::exempt;
    return exempt ? LogLevel::debug : LogLevel::info;
}

}  // namespace

RequestObserver access_log(Logger log) {
    return [log = std::move(log)](const Exchange& exchange, Duration elapsed) {
        const LogLevel level = level_of(exchange);
        if (!log.at(level)) {
            return;
        }
        const std::string_view trace = trace_id_of(exchange.traceparent());
        std::vector<LogField> fields{
            {"method", to_string(exchange.head().method)},
            {"path", exchange.head().path()},
            {"status", exchange.status()},
            {"ms", to_ms(elapsed)},
            {"bytes", exchange.bytes_sent()},
            {"identity", exchange.identity()},
            {"complete", exchange.finished() && !exchange.client_gone()},
        };
        for (const auto& [name, value] : exchange.notes()) {
            fields.emplace_back(name, value);
        }
        log.for_request(exchange.correlation(), std::string(trace)).write(level, "request", fields);
    };
}

}  // namespace orch::net
