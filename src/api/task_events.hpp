#pragma once

#include "api/error_body.hpp"
#include "base/strong_id.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The data of the events of GET /v2/tasks/{id}/events, in their order:
//
//     queued* [started (token | metrics | result)*] (end | error)
//
// `started` comes when the answer begins, so it names the place that gives it, at whichever
// attempt. Pure; any thread.
namespace orch::api {

struct QueuedEvent {
    std::uint64_t queue_position = 0;
    std::optional<std::int64_t> predicted_start_ms;  // null: nothing was measured yet
};

struct StartedEvent {
    NodeId node_id;
    PoolId pool_id;
    std::uint32_t attempt = 0;
};

struct TokenEvent {
    std::string t;
    std::uint64_t i = 0;  // from 0
    std::string kind;     // text | reasoning | tool; of a tool, t is the JSON of the call's piece
};

// What is known, the rest is left out.
struct MetricsEvent {
    std::optional<std::uint64_t> tokens_in;
    std::optional<std::uint64_t> tokens_out;
    std::optional<double> prompt_ms;
    std::optional<double> decode_ms;
    std::optional<std::string> phase;
    std::optional<std::string> human;  // a sentence for people: verbose streams only
};

struct EndEvent {
    std::uint64_t tokens_out = 0;
    std::int64_t decode_time_ms = 0;  // generating, as the engine measured it or else as seen here
    std::int64_t decode_ms = 0;       // the same
    std::optional<bool> canceled;
};

std::string to_json(const QueuedEvent& event);
std::string to_json(const StartedEvent& event);
std::string to_json(const TokenEvent& event);
std::string to_json(const MetricsEvent& event);
std::string to_json(const EndEvent& event);

// {code, message, retriable, ...} without an envelope.
std::string error_event_json(const ErrorBody& error);

BOOST_DESCRIBE_STRUCT(QueuedEvent, (), (queue_position, predicted_start_ms))
BOOST_DESCRIBE_STRUCT(StartedEvent, (), (node_id, pool_id, attempt))
BOOST_DESCRIBE_STRUCT(TokenEvent, (), (t, i, kind))
BOOST_DESCRIBE_STRUCT(MetricsEvent, (), (tokens_in, tokens_out, prompt_ms, decode_ms, phase, human))
BOOST_DESCRIBE_STRUCT(EndEvent, (), (tokens_out, decode_time_ms, decode_ms, canceled))

}  // namespace orch::api
