#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The one error envelope of both daemons and the one table from error codes to HTTP.
// Pure; any thread.
namespace orch::api {

struct ErrorTraits {
    Errc code;
    unsigned status;        // of the HTTP answer
    std::string_view type;  // OpenAI's error type
    bool retriable;         // the same request may succeed later without change
};

// Total: every Errc has a row.
const ErrorTraits& error_traits(Errc code);

// Why one place was not taken.
struct PlaceReasons {
    NodeId node_id;
    PoolId pool_id;
    std::vector<std::string> reasons;
};

// What a machine may want to know beyond the message.
struct ErrorDetails {
    std::optional<std::vector<PlaceReasons>> candidates;  // a placement's reasons
    std::optional<std::vector<NodeId>> nodes;             // AMBIGUOUS_POOL: where the pool exists
};

// {"error":{...}} with every key present, null where it does not apply.
struct ErrorBody {
    std::string message;
    std::string type;
    std::string code;                  // wire name; empty when a foreign server sent none
    std::optional<std::string> param;  // the field at fault
    bool retriable = false;
    std::optional<std::uint64_t> retry_after_ms;
    std::optional<std::string> correlation_id;
    std::optional<ErrorDetails> details;

    // Nothing when `code` is none of ours.
    std::optional<Errc> errc() const { return errc_from_wire(code); }
};

// What a retriable 429 or 503 asks to wait when nobody knows better.
inline constexpr std::chrono::milliseconds kDefaultBackoff{1000};

// `param` comes from the message when that begins with a path and a colon, and is "model" for the
// model errors. `retry_after` is used for retriable 429 and 503 only (default kDefaultBackoff).
ErrorBody make_error_body(
    const Error& error, const CorrelationId& correlation, std::optional<Duration> retry_after = {}
);
ErrorBody make_error_body(
    const Error& error,
    const CorrelationId& correlation,
    ErrorDetails details,
    std::optional<Duration> retry_after = {}
);

// Values of the two waiting headers.
struct BackoffHeaders {
    std::string retry_after;  // Retry-After: whole seconds, rounded up, at least 1
    std::string backoff_ms;   // X-Backoff-Ms
};

// Present exactly when the body carries retry_after_ms.
std::optional<BackoffHeaders> backoff_headers(const ErrorBody& body);

// The envelope, ready to send; also the data of a stream's error event.
std::string to_json(const ErrorBody& body);

// Reads the envelope of either daemon, of an engine ({"error":{"code":400,...}}) and of the
// earlier daemons ({"error":"text"}). Nothing when the text is none of these.
std::optional<ErrorBody> parse_error_body(std::string_view text);

BOOST_DESCRIBE_STRUCT(PlaceReasons, (), (node_id, pool_id, reasons))
BOOST_DESCRIBE_STRUCT(ErrorDetails, (), (candidates, nodes))
BOOST_DESCRIBE_STRUCT(
    ErrorBody, (), (message, type, code, param, retriable, retry_after_ms, correlation_id, details)
)

}  // namespace orch::api
