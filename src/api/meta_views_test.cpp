#include "api/meta_views.hpp"

#include <gtest/gtest.h>

namespace orch::api {
namespace {

PoolInfo pool(const char* id, const char* version, std::uint32_t ctx, std::uint32_t slots) {
    PoolInfo info;
    info.node_id = NodeId("gpu-1");
    info.pool_id = PoolId(id);
    info.engine = "llamacpp";
    info.engine_version = version;
    info.ctx = ctx;
    info.slots_total = slots;
    return info;
}

TEST(MetaViews, CapabilitiesSumUpThePoolsOfEachEngine) {
    PoolInfo embedding = pool("e", "b1", 512, 1);
    embedding.kind = ModelKind::embedding;
    PoolInfo other = pool("o", "9", 64, 1);
    other.engine = "vllm";
    const Capabilities all =
        make_capabilities({other, pool("a", "b2", 4096, 4), embedding, pool("b", "b2", 8192, 2)});
    ASSERT_EQ(all.engines.size(), 2U);
    const EngineCapabilities& llamacpp = all.engines[0];
    EXPECT_EQ(llamacpp.engine, "llamacpp");
    EXPECT_EQ(llamacpp.engine_versions, (std::vector<std::string>{"b1", "b2"}));
    EXPECT_EQ(llamacpp.supported_workloads, (std::vector<std::string>{"completion", "embedding"}));
    EXPECT_EQ(llamacpp.ctx_max, 8192U);
    EXPECT_EQ(llamacpp.slots_total, 7U);
    EXPECT_TRUE(llamacpp.batching);
    EXPECT_FALSE(all.engines[1].batching);
    EXPECT_EQ(all.pools.size(), 4U);
    EXPECT_EQ(all.pools[2].workload, "embedding");
    EXPECT_EQ(all.api_version, kApiVersion);
}

TEST(MetaViews, AnEmptyClusterHasNoEngines) {
    EXPECT_TRUE(to_json(make_capabilities({})).contains(R"("engines":[],"pools":[])"));
}

TEST(MetaViews, TheVersionNamesBothInterfaces) {
    const std::string text = to_json(make_version_info());
    EXPECT_TRUE(text.contains(R"("api_version":"2.0.0")")) << text;
    EXPECT_TRUE(text.contains(R"("node_api_version":"1.0")")) << text;
}

}  // namespace
}  // namespace orch::api
