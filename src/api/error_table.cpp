#include "api/error_body.hpp"

#include <algorithm>
#include <array>

namespace orch::api {
namespace {

constexpr std::string_view kRequest = "invalid_request_error";
constexpr std::string_view kAuthentication = "authentication_error";
constexpr std::string_view kPermission = "permission_error";
constexpr std::string_view kRateLimit = "rate_limit_error";
constexpr std::string_view kServer = "server_error";

constexpr std::array<ErrorTraits, 29> kTable{{
    {Errc::invalid_params, 400, kRequest, false},
    {Errc::deadline_unmet, 400, kRequest, false},
    {Errc::untrusted_artifact, 400, kRequest, false},
    {Errc::context_length_exceeded, 400, kRequest, false},
    {Errc::missing_token, 401, kAuthentication, false},
    {Errc::bad_token, 401, kAuthentication, false},
    {Errc::forbidden, 403, kPermission, false},
    {Errc::not_found, 404, kRequest, false},
    {Errc::method_not_allowed, 405, kRequest, false},
    {Errc::conflict, 409, kRequest, false},
    {Errc::ambiguous_pool, 409, kRequest, false},
    {Errc::model_deprecated, 410, kRequest, false},
    {Errc::payload_too_large, 413, kRequest, false},
    {Errc::request_timeout, 408, kRequest, true},
    {Errc::headers_too_large, 431, kRequest, false},
    {Errc::admission_reject, 429, kRateLimit, true},
    {Errc::queue_full_drop_lru, 429, kRateLimit, true},
    {Errc::quota_exceeded, 429, kRateLimit, true},
    {Errc::model_not_found, 404, kRequest, false},
    {Errc::model_not_available, 503, kServer, true},
    {Errc::node_unavailable, 503, kServer, true},
    {Errc::pool_unready, 503, kServer, true},
    {Errc::pool_unavailable, 503, kServer, true},
    {Errc::replica_exhausted, 503, kServer, true},
    {Errc::cloud_profile_disabled, 503, kServer, false},
    {Errc::decode_timeout, 504, kServer, true},
    {Errc::worker_reset, 502, kServer, true},
    {Errc::cancelled, 499, kRequest, false},
    {Errc::internal, 500, kServer, false},
}};

}  // namespace

const ErrorTraits& error_traits(Errc code) {
    const auto* const found = std::ranges::find(kTable, code, &ErrorTraits::code);
    return found == kTable.end() ? kTable.back() : *found;
}

}  // namespace orch::api
