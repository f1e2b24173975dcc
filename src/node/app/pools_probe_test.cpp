#include "node/app/pools_probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::node::app {
namespace {

using lifecycle::PoolsView;
using lifecycle::PoolView;
using lifecycle::ReplicaState;
using lifecycle::ReplicaView;
using testing::HasSubstr;
using testing::Not;

std::shared_ptr<PoolView> make_pool(const char* id, std::vector<std::string> devices) {
    lifecycle::PoolSpec spec;
    spec.id = PoolId(id);
    spec.devices = std::move(devices);
    ReplicaView replica;
    replica.id = ReplicaId("r0");
    replica.state = ReplicaState::ready;
    replica.url = "http://127.0.0.1:1";
    replica.slots_total = 4;
    replica.cell = std::make_shared<LoadCell>(4);
    replica.engine_version = "b1";
    auto pool = std::make_shared<PoolView>();
    pool->spec = std::make_shared<const lifecycle::PoolSpec>(std::move(spec));
    pool->replicas.push_back(std::move(replica));
    return pool;
}

inventory::Gpu make_gpu(std::uint32_t index) {
    inventory::Gpu gpu;
    gpu.index = index;
    gpu.vram_total = 1000;
    gpu.vram_used = 400;
    gpu.utilization = 0.5;
    return gpu;
}

class PoolsProbeTest : public testing::Test {
public:
    void set_pools(std::vector<std::shared_ptr<const PoolView>> pools) {
        auto view = std::make_shared<PoolsView>();
        view->pools = std::move(pools);
        probe.set_pools(std::move(view));
    }

    std::string scrape() {
        probe.look();
        return registry.expose();
    }

    metrics::Registry registry;
    PoolsProbe probe{registry, NodeId("n1")};
};

TEST_F(PoolsProbeTest, ShowsLeasesThatNobodyPublished) {
    const auto pool = make_pool("chat", {});
    set_pools({pool});
    ASSERT_TRUE(pool->replicas[0].cell->try_claim());
    const std::string text = scrape();
    const std::string of = R"({node_id="n1",pool_id="chat"})";
    EXPECT_THAT(text, HasSubstr("pool_slots_total" + of + " 4\n"));
    EXPECT_THAT(text, HasSubstr("pool_slots_free" + of + " 3\n"));
    EXPECT_THAT(text, HasSubstr("active_leases" + of + " 1\n"));
    EXPECT_THAT(text, HasSubstr("pool_ready" + of + " 1\n"));
    EXPECT_THAT(text, Not(HasSubstr("pool_vram_total_bytes{"))) << "it runs on no GPU";
}

TEST_F(PoolsProbeTest, ForgetsPoolsThatAreGone) {
    set_pools({make_pool("chat", {}), make_pool("embed", {})});
    scrape();
    set_pools({make_pool("embed", {})});
    const std::string text = scrape();
    EXPECT_THAT(text, Not(HasSubstr(R"(pool_id="chat")")));
    EXPECT_THAT(text, HasSubstr(R"(pool_ready{node_id="n1",pool_id="embed"} 1)"));
}

TEST_F(PoolsProbeTest, ShowsEachDeviceForTheReplicasThatMayUseIt) {
    set_pools({make_pool("chat", {"0"})});
    probe.set_gpus({make_gpu(0), make_gpu(1)});
    const std::string text = scrape();
    const std::string used =
        R"({node_id="n1",engine="llamacpp",engine_version="b1",pool_id="chat",replica_id="r0",device="0"})";
    const std::string unused =
        R"({node_id="n1",engine="",engine_version="",pool_id="",replica_id="",device="1"})";
    EXPECT_THAT(text, HasSubstr("gpu_utilization" + used + " 50\n"));
    EXPECT_THAT(text, HasSubstr("vram_used_bytes" + used + " 400\n"));
    EXPECT_THAT(text, HasSubstr("vram_used_bytes" + unused + " 400\n"));
    EXPECT_THAT(text, HasSubstr(R"(pool_vram_free_bytes{node_id="n1",pool_id="chat"} 600)"));
    probe.set_gpus({});
    EXPECT_THAT(scrape(), Not(HasSubstr("device=\"0\"")));
}

TEST_F(PoolsProbeTest, SaysNothingThatTheDriverDoesNotSay) {
    set_pools({make_pool("chat", {"0"})});
    inventory::Gpu gpu = make_gpu(0);
    gpu.utilization.reset();
    gpu.vram_total = 0;
    probe.set_gpus({gpu});
    const std::string text = scrape();
    EXPECT_THAT(text, Not(HasSubstr("gpu_utilization{")));
    EXPECT_THAT(text, Not(HasSubstr("vram_used_bytes{")));
}

}  // namespace
}  // namespace orch::node::app
