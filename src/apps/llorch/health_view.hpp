#pragma once

#include "base/result.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace orch::llorch {

// The answer of GET /health.
struct HealthBody {
    std::string status;  // "ok" or "degraded"
    std::string version;
    std::uint32_t nodes_online = 0;
    std::uint32_t pools_ready = 0;
};

Result<HealthBody> parse_health(std::string_view text);

// "ok: version 0.2.0, nodes online: 2, pools ready: 3"
std::string health_text(const HealthBody& health);

BOOST_DESCRIBE_STRUCT(HealthBody, (), (status, version, nodes_online, pools_ready))

}  // namespace orch::llorch
