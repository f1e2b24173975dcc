#include "api/meta_views.hpp"

#include "base/json.hpp"
#include "base/version.hpp"

#include <algorithm>
#include <map>

namespace orch::api {
namespace {

std::string workload_of(ModelKind kind) {
    return kind == ModelKind::chat ? "completion" : std::string(to_string(kind));
}

void insert_sorted(std::vector<std::string>& words, const std::string& word) {
    const auto place = std::ranges::lower_bound(words, word);
    if (place == words.end() || *place != word) {
        words.insert(place, word);
    }
}

void add(EngineCapabilities& engine, const PoolInfo& pool) {
    if (pool.engine_version) {
        insert_sorted(engine.engine_versions, *pool.engine_version);
    }
    insert_sorted(engine.supported_workloads, workload_of(pool.kind));
    if (pool.ctx) {
        engine.ctx_max = std::max(engine.ctx_max.value_or(0), *pool.ctx);
    }
    engine.slots_total += pool.slots_total;
    engine.batching = engine.batching || pool.slots_total > 1;
}

PoolCapabilities capabilities_of(const PoolInfo& pool) {
    return {
        .node_id = pool.node_id,
        .pool_id = pool.pool_id,
        .engine = pool.engine,
        .engine_version = pool.engine_version,
        .workload = workload_of(pool.kind),
        .models = pool.models_available,
        .ctx = pool.ctx,
        .slots_total = pool.slots_total,
        .ready = pool.ready,
    };
}

template <class Message>
std::string write_message(const Message& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

}  // namespace

VersionInfo make_version_info() {
    return {
        .version = std::string(program_version()),
        .api_version = std::string(kApiVersion),
        .node_api_version = std::string(kNodeApiVersion),
    };
}

Capabilities make_capabilities(const std::vector<PoolInfo>& pools) {
    Capabilities all;
    all.api_version = kApiVersion;
    all.version = program_version();
    std::map<std::string, EngineCapabilities> engines;
    for (const PoolInfo& pool : pools) {
        all.pools.push_back(capabilities_of(pool));
        if (pool.engine) {
            EngineCapabilities& engine = engines[*pool.engine];
            engine.engine = *pool.engine;
            add(engine, pool);
        }
    }
    for (auto& [name, engine] : engines) {
        all.engines.push_back(std::move(engine));
    }
    return all;
}

std::string to_json(const VersionInfo& message) {
    return write_message(message);
}

std::string to_json(const Capabilities& message) {
    return write_message(message);
}

}  // namespace orch::api
