#include "apps/llorch/error_text.hpp"

#include "api/error_body.hpp"
#include "apps/llorch/printable.hpp"
#include "net/http_message.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace orch::llorch {
namespace {

std::string places_text(const api::ErrorBody& body) {
    std::string text;
    if (!body.details || !body.details->candidates) {
        return text;
    }
    for (const api::PlaceReasons& place : *body.details->candidates) {
        text += printable(fmt::format(
            "  {}/{}: {}", place.node_id.str(), place.pool_id.str(), fmt::join(place.reasons, ", ")
        ));
        text += "\n";
    }
    return text;
}

// The code first: scripts look for it.
std::string describe(const api::ErrorBody& body) {
    std::string text = printable(body.message);
    if (!body.code.empty()) {
        text = fmt::format("{}: {}", printable(body.code), text);
    }
    text += "\n" + places_text(body);
    if (body.retry_after_ms) {
        text += fmt::format("  try again in {} ms\n", *body.retry_after_ms);
    }
    if (body.correlation_id) {
        text += fmt::format("  correlation id: {}\n", printable(*body.correlation_id));
    }
    text.pop_back();
    return text;
}

std::string_view token_hint(int http_status) {
    return http_status == 401 ? "\n  the token comes from --api-token-file, --api-token, "
                                "LLORCH_API_TOKEN_FILE or LLORCH_API_TOKEN"
                              : "";
}

}  // namespace

Failure failure_of_answer(int http_status, std::string_view body) {
    const auto error = api::parse_error_body(body);
    std::string text =
        error
            ? describe(*error)
            : fmt::format("the server answers {} {}", http_status, net::reason_phrase(http_status));
    text += token_hint(http_status);
    return {exit_code_for(http_status), std::move(text)};
}

Failure failure_of_stream(std::string_view body) {
    const auto error = api::parse_error_body(body);
    return {ExitCode::refused, error ? describe(*error) : "the stream broke off"};
}

Failure failure_of_body(std::string_view request, const Error& error) {
    return {
        ExitCode::refused,
        fmt::format(
            "{} is not answered as orchestratord does: {}", request, printable(error.message)
        )
    };
}

}  // namespace orch::llorch
