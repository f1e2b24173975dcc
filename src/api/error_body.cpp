#include "api/error_body.hpp"

#include "base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::api {
namespace {

namespace bj = json::bj;

bool path_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '[' || c == ']';
}

std::optional<std::string> param_of(const Error& error) {
    if (error.code == Errc::model_not_found || error.code == Errc::model_not_available) {
        return "model";
    }
    const std::string path = error.message.substr(0, error.message.find(':'));
    const bool is_path =
        !path.empty() && path.size() < error.message.size() && std::ranges::all_of(path, path_char);
    return error.code == Errc::invalid_params && is_path ? std::optional(path) : std::nullopt;
}

std::optional<std::uint64_t> backoff_of(
    const ErrorTraits& traits, std::optional<Duration> retry_after
) {
    if (!traits.retriable || (traits.status != 429 && traits.status != 503)) {
        return std::nullopt;
    }
    const std::int64_t ms = to_ms(retry_after.value_or(kDefaultBackoff));
    return static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0));
}

std::string text_at(const bj::object& object, std::string_view key) {
    const bj::value* const found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

// Foreign servers put numbers and nulls where we put texts: what does not fit is left out.
ErrorBody from_foreign(const bj::object& object) {
    ErrorBody body;
    body.message = text_at(object, "message");
    body.type = text_at(object, "type");
    body.code = text_at(object, "code");
    return body;
}

std::optional<ErrorBody> from_error_value(const bj::value& error) {
    if (error.is_string()) {
        ErrorBody body;
        body.message = error.get_string();
        return body;
    }
    if (!error.is_object()) {
        return std::nullopt;
    }
    ErrorBody body;
    if (json::read_into(error, body, "error")) {
        return body;
    }
    return from_foreign(error.get_object());
}

}  // namespace

ErrorBody make_error_body(
    const Error& error, const CorrelationId& correlation, std::optional<Duration> retry_after
) {
    const ErrorTraits& traits = error_traits(error.code);
    ErrorBody body;
    body.message = error.message;
    body.type = traits.type;
    body.code = wire_name(error.code);
    body.param = param_of(error);
    body.retriable = traits.retriable;
    body.retry_after_ms = backoff_of(traits, retry_after);
    if (!correlation.empty()) {
        body.correlation_id = correlation.str();
    }
    return body;
}

ErrorBody make_error_body(
    const Error& error,
    const CorrelationId& correlation,
    ErrorDetails details,
    std::optional<Duration> retry_after
) {
    ErrorBody body = make_error_body(error, correlation, retry_after);
    body.details = std::move(details);
    return body;
}

std::optional<BackoffHeaders> backoff_headers(const ErrorBody& body) {
    if (!body.retry_after_ms) {
        return std::nullopt;
    }
    const std::uint64_t ms = *body.retry_after_ms;
    const std::uint64_t seconds = ms / 1000 + (ms % 1000 == 0 ? 0 : 1);
    return BackoffHeaders{
        fmt::format("{}", std::max<std::uint64_t>(seconds, 1)), fmt::format("{}", ms)
    };
}

std::string to_json(const ErrorBody& body) {
    bj::value error = json::write(body, json::Nulls::write);
    if (body.details) {
        error.as_object()["details"] = json::write(*body.details, json::Nulls::leave_out);
    }
    bj::object envelope;
    envelope.emplace("error", std::move(error));
    return json::serialize(envelope);
}

std::optional<ErrorBody> parse_error_body(std::string_view text) {
    const auto tree = json::parse(text);
    if (!tree || !tree->is_object()) {
        return std::nullopt;
    }
    const bj::value* const error = tree->get_object().if_contains("error");
    return error == nullptr ? std::nullopt : from_error_value(*error);
}

}  // namespace orch::api
