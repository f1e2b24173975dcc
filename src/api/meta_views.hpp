#pragma once

#include "api/node_views.hpp"
#include "base/enums.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// GET /v2/meta/version and /v2/meta/capabilities: what clients may rely on.
namespace orch::api {

// Of the /v2 API and of openapi.json.
inline constexpr std::string_view kApiVersion = "2.0.0";

struct VersionInfo {
    std::string version;           // of the program
    std::string api_version;       // kApiVersion
    std::string node_api_version;  // of what nodes and the control plane say to each other
};

struct EngineCapabilities {
    std::string engine;                            // family
    std::vector<std::string> engine_versions;      // that its pools report, sorted
    std::vector<std::string> supported_workloads;  // completion, embedding, rerank
    std::optional<std::uint32_t> ctx_max;          // tokens per slot, the largest of its pools
    std::uint64_t slots_total = 0;
    bool batching = false;  // some pool serves more than one request at once
};

struct PoolCapabilities {
    NodeId node_id;
    PoolId pool_id;
    std::optional<std::string> engine;
    std::optional<std::string> engine_version;
    std::string workload;
    std::vector<std::string> models;
    std::optional<std::uint32_t> ctx;
    std::uint32_t slots_total = 0;
    bool ready = false;
};

struct Capabilities {
    std::string api_version;
    std::string version;
    std::vector<EngineCapabilities> engines;  // one per family, by name
    std::vector<PoolCapabilities> pools;
};

VersionInfo make_version_info();

// Of the pools that are known now, ready or not.
Capabilities make_capabilities(const std::vector<PoolInfo>& pools);

std::string to_json(const VersionInfo& message);
std::string to_json(const Capabilities& message);

BOOST_DESCRIBE_STRUCT(VersionInfo, (), (version, api_version, node_api_version))
BOOST_DESCRIBE_STRUCT(
    EngineCapabilities,
    (),
    (engine, engine_versions, supported_workloads, ctx_max, slots_total, batching)
)
BOOST_DESCRIBE_STRUCT(
    PoolCapabilities,
    (),
    (node_id, pool_id, engine, engine_version, workload, models, ctx, slots_total, ready)
)
BOOST_DESCRIBE_STRUCT(Capabilities, (), (api_version, version, engines, pools))

}  // namespace orch::api
