#include "control/gateway/request_headers.hpp"

#include "api/labels.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace orch::control::gateway {
namespace {

constexpr std::array<std::string_view, 18> kNotForNode{
    "Host",
    "Content-Length",
    "Expect",
    "Authorization",
    "X-Api-Key",
    "Cookie",
    "Origin",
    "X-Correlation-Id",
    "X-Request-Id",
    "traceparent",
    "X-Conversation-Id",
    "X-Llorch-Node",
    "X-Llorch-Pool",
    "X-Llorch-Prefer",
    "X-Llorch-Avoid",
    "X-Llorch-Labels",
    "X-Llorch-Fallback",
    "X-Llorch-Priority",
};

constexpr std::array<std::string_view, 5> kNotForClient{
    "Content-Length",
    "X-Correlation-Id",
    "X-Request-Id",
    "X-Llorch-Origin",
    "X-Llorch-Replica",
};

template <std::size_t N>
void erase_all(net::Headers& headers, const std::array<std::string_view, N>& names) {
    std::erase_if(headers.fields(), [&](const net::Headers::Field& field) {
        return std::ranges::any_of(names, [&](std::string_view name) {
            return net::iequals(name, field.name);
        });
    });
}

template <class Id>
Result<std::optional<Id>> read_pin(const net::Headers& headers, std::string_view name) {
    const auto value = headers.find(name);
    if (!value) {
        return std::nullopt;
    }
    if (!valid_id(*value)) {
        return fail(Errc::invalid_params, std::string(name) + ": must be an id");
    }
    return Id(std::string(*value));
}

Result<std::vector<placement::PlaceHint>> read_list(
    const net::Headers& headers, std::string_view name
) {
    return placement::parse_hints(headers.find(name).value_or(""), name);
}

// A session is whatever its client calls it: only its equality counts.
Result<std::string> read_session(const net::Headers& headers) {
    constexpr std::size_t kLongest = 256;
    const std::string_view value = headers.find("X-Session-Id").value_or("");
    if (value.size() > kLongest) {
        return fail(Errc::invalid_params, "X-Session-Id: must have at most 256 characters");
    }
    return std::string(value);
}

Result<bool> read_fallback(const net::Headers& headers) {
    const std::string_view value = headers.find("X-Llorch-Fallback").value_or("false");
    if (value != "true" && value != "false") {
        return fail(Errc::invalid_params, "X-Llorch-Fallback: must be true or false");
    }
    return value == "true";
}

}  // namespace

Result<placement::PlacementRequest> read_hints(const net::Headers& headers) {
    auto node = read_pin<NodeId>(headers, "X-Llorch-Node");
    auto pool = read_pin<PoolId>(headers, "X-Llorch-Pool");
    auto prefer = read_list(headers, "X-Llorch-Prefer");
    auto avoid = read_list(headers, "X-Llorch-Avoid");
    constexpr std::string_view kLabels = "X-Llorch-Labels";
    auto labels = api::parse_labels(headers.find(kLabels).value_or(""), kLabels);
    const auto fallback = read_fallback(headers);
    auto session = read_session(headers);
    if (!node || !pool) {
        return std::unexpected(node ? pool.error() : node.error());
    }
    if (!prefer || !avoid) {
        return std::unexpected(prefer ? avoid.error() : prefer.error());
    }
    if (!labels) {
        return std::unexpected(labels.error());
    }
    if (!fallback || !session) {
        return std::unexpected(fallback ? session.error() : fallback.error());
    }
    placement::PlacementRequest request;
    request.pin_node = std::move(*node);
    request.pin_pool = std::move(*pool);
    request.prefer = std::move(*prefer);
    request.avoid = std::move(*avoid);
    request.labels = std::move(*labels);
    request.fallback = *fallback;
    request.session = std::move(*session);
    return request;
}

Result<admission::Priority> read_priority(const net::Headers& headers) {
    const auto value = headers.find("X-Llorch-Priority");
    if (!value) {
        return admission::Priority::interactive;
    }
    const auto priority = admission::priority_from(*value);
    if (!priority) {
        return fail(Errc::invalid_params, "X-Llorch-Priority: must be interactive or batch");
    }
    return *priority;
}

net::Headers headers_for_node(const net::Exchange& exchange, const std::string& token) {
    net::Headers headers = exchange.head().headers;
    net::erase_hop_by_hop(headers);
    erase_all(headers, kNotForNode);
    headers.add("X-Correlation-Id", exchange.correlation().str());
    headers.add("traceparent", exchange.traceparent());
    if (!token.empty()) {
        headers.add("Authorization", "Bearer " + token);
    }
    return headers;
}

net::Headers headers_for_client(const net::Headers& from_node) {
    net::Headers headers = from_node;
    net::erase_hop_by_hop(headers);
    erase_all(headers, kNotForClient);
    std::erase_if(headers.fields(), [](const net::Headers::Field& field) {
        constexpr std::string_view kCors = "Access-Control-";
        return net::iequals(std::string_view(field.name).substr(0, kCors.size()), kCors);
    });
    return headers;
}

}  // namespace orch::control::gateway
