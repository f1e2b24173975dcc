#include "base/errc.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace orch {
namespace {

constexpr std::array<std::pair<Errc, std::string_view>, 29> kNames{{
    {Errc::invalid_params, "INVALID_PARAMS"},
    {Errc::deadline_unmet, "DEADLINE_UNMET"},
    {Errc::untrusted_artifact, "UNTRUSTED_ARTIFACT"},
    {Errc::context_length_exceeded, "CONTEXT_LENGTH_EXCEEDED"},
    {Errc::missing_token, "MISSING_TOKEN"},
    {Errc::bad_token, "BAD_TOKEN"},
    {Errc::forbidden, "FORBIDDEN"},
    {Errc::not_found, "NOT_FOUND"},
    {Errc::method_not_allowed, "METHOD_NOT_ALLOWED"},
    {Errc::conflict, "CONFLICT"},
    {Errc::ambiguous_pool, "AMBIGUOUS_POOL"},
    {Errc::model_deprecated, "MODEL_DEPRECATED"},
    {Errc::payload_too_large, "PAYLOAD_TOO_LARGE"},
    {Errc::request_timeout, "REQUEST_TIMEOUT"},
    {Errc::headers_too_large, "HEADERS_TOO_LARGE"},
    {Errc::admission_reject, "ADMISSION_REJECT"},
    {Errc::queue_full_drop_lru, "QUEUE_FULL_DROP_LRU"},
    {Errc::quota_exceeded, "QUOTA_EXCEEDED"},
    {Errc::model_not_found, "MODEL_NOT_FOUND"},
    {Errc::model_not_available, "MODEL_NOT_AVAILABLE"},
    {Errc::node_unavailable, "NODE_UNAVAILABLE"},
    {Errc::pool_unready, "POOL_UNREADY"},
    {Errc::pool_unavailable, "POOL_UNAVAILABLE"},
    {Errc::replica_exhausted, "REPLICA_EXHAUSTED"},
    {Errc::cloud_profile_disabled, "CLOUD_PROFILE_DISABLED"},
    {Errc::decode_timeout, "DECODE_TIMEOUT"},
    {Errc::worker_reset, "WORKER_RESET"},
    {Errc::cancelled, "CANCELLED"},
    {Errc::internal, "INTERNAL"},
}};

}  // namespace

std::string_view wire_name(Errc code) {
    const auto* const found =
        std::ranges::find(kNames, code, [](const auto& entry) { return entry.first; });
    return found == kNames.end() ? "INTERNAL" : found->second;
}

std::optional<Errc> errc_from_wire(std::string_view text) {
    const auto* const found =
        std::ranges::find(kNames, text, [](const auto& entry) { return entry.second; });
    if (found == kNames.end()) {
        return std::nullopt;
    }
    return found->first;
}

}  // namespace orch
