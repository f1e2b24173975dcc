#include "net/correlation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orch::net {
namespace {

// "00-" trace id "-" parent id "-" flags, https://www.w3.org/TR/trace-context/#traceparent-header
constexpr std::size_t kTraceparentLength = 55;
constexpr std::size_t kTraceIdLength = 32;

bool lower_hex(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
}

bool all_zero(std::string_view text) {
    return text.find_first_not_of('0') == std::string_view::npos;
}

bool well_formed(std::string_view text) {
    return text.size() == kTraceparentLength && text[2] == '-' && text[35] == '-' &&
           text[52] == '-' && text.starts_with("00") && lower_hex(text.substr(3, kTraceIdLength)) &&
           lower_hex(text.substr(36, 16)) && lower_hex(text.substr(53)) &&
           !all_zero(text.substr(3, kTraceIdLength)) && !all_zero(text.substr(36, 16));
}

}  // namespace

CorrelationId correlation_of(const Headers& headers, Rng& rng) {
    const std::string_view sent = headers.find("X-Correlation-Id").value_or("");
    return CorrelationId(valid_id(sent) ? std::string(sent) : make_uuid(rng));
}

std::string traceparent_of(const Headers& headers, Rng& rng) {
    const std::string_view sent = headers.find("traceparent").value_or("");
    if (well_formed(sent)) {
        return std::string(sent);
    }
    return fmt::format(
        "00-{:016x}{:016x}-{:016x}-01", rng.next() | 1U, rng.next(), rng.next() | 1U
    );
}

std::string_view trace_id_of(std::string_view traceparent) {
    return well_formed(traceparent) ? traceparent.substr(3, kTraceIdLength) : std::string_view{};
}

}  // namespace orch::net
