#include "net/access_log.hpp"

#include "net/access_sample.hpp"
#include "net/correlation.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace orch::net {
namespace {

bool went_well(const Exchange& exchange) {
    // A stream that ended with an error event has its code among the notes.
    const bool failed = std::ranges::any_of(exchange.notes(), [](const auto& note) {
        return note.first == "code";
    });
    return exchange.status() < 400 && exchange.finished() && !exchange.client_gone() && !failed;
}

LogLevel level_of(const Exchange& exchange) {
    if (exchange.status() >= 500) {
        return LogLevel::warn;
    }
    const Route* const route = exchange.route();
    const bool exempt = route != nullptr && route->auth == auth::AuthClass::exempt;
    const bool routine = route != nullptr && route->routine && went_well(exchange);
    return exempt || routine ? LogLevel::debug : LogLevel::info;
}

}  // namespace

RequestObserver access_log(Logger log, const std::atomic<std::uint64_t>& sample) {
    return [log = std::move(log), &sample](const Exchange& exchange, Duration elapsed) {
        const LogLevel level = level_of(exchange);
        if (!log.at(level)) {
            return;
        }
        const std::string_view trace = trace_id_of(exchange.traceparent());
        if (went_well(exchange) && !is_sampled(trace, sample.load(std::memory_order_relaxed))) {
            return;
        }
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
