#include "control/registry/model_listing.hpp"
#include "control/registry/node_record.hpp"
#include "control/registry/node_table.hpp"

#include <gtest/gtest.h>

namespace orch::control::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Stamp stamp(std::int64_t ms) {
    return {Instant(milliseconds(ms)), WallTime(milliseconds(ms))};
}

api::PoolReport report(std::string pool, std::string model) {
    api::PoolReport made;
    made.pool_id = PoolId(std::move(pool));
    made.ready = true;
    made.slots_free = 2;
    made.slots_total = 2;
    made.served_name = model;
    made.models_available = {std::move(model)};
    made.ctx = 8192;
    return made;
}

void join(NodeTable& table, const std::string& id, std::vector<api::PoolReport> pools) {
    api::RegisterRequest message;
    message.node_id = NodeId(id);
    message.machine_id = MachineId(id);
    message.address = "https://" + id + ":9200";
    const auto outcome = table.register_node(message, stamp(0));
    ASSERT_TRUE(outcome);
    table.set_reachability(message.node_id, outcome->registration, true, "");
    api::HeartbeatRequest beat;
    beat.pools = std::move(pools);
    ASSERT_TRUE(table.heartbeat(message.node_id, beat, stamp(0)));
}

void beat(NodeTable& table, const std::string& id, std::vector<api::PoolReport> pools) {
    api::HeartbeatRequest message;
    message.pools = std::move(pools);
    ASSERT_TRUE(table.heartbeat(NodeId(id), message, stamp(1)));
}

TEST(PublishedView, IsTheSameWhileNothingChanges) {
    NodeTable table({}, Instant{});
    join(table, "a", {report("p", "m")});
    const auto first = table.view();
    EXPECT_EQ(table.view(), first);
    EXPECT_EQ(table.urgency(), Urgency::none);
    api::PoolReport moved = report("p", "m");
    moved.vram_free_bytes = 1;
    beat(table, "a", {moved});
    EXPECT_EQ(table.urgency(), Urgency::soon);
    EXPECT_GT(table.view()->version(), first->version());
}

TEST(PublishedView, RebuildsOnlyTheNodeThatChanged) {
    NodeTable table({}, Instant{});
    join(table, "a", {report("p", "m")});
    join(table, "b", {report("p", "m")});
    const auto before = table.view();
    api::PoolReport moved = report("p", "m");
    moved.vram_free_bytes = 1;
    beat(table, "b", {moved});
    const auto after = table.view();
    EXPECT_EQ(before->nodes()[0], after->nodes()[0]);
    EXPECT_NE(before->nodes()[1], after->nodes()[1]);
}

TEST(PublishedView, AReportThatSaysNothingNewChangesNothing) {
    NodeTable table({}, Instant{});
    join(table, "a", {report("p", "m")});
    const auto before = table.view();
    api::PoolReport busy = report("p", "m");
    busy.slots_free = 1;
    busy.active_leases = 1;
    beat(table, "a", {busy});
    EXPECT_EQ(table.urgency(), Urgency::none) << "load moves in the cell";
    EXPECT_EQ(table.view(), before);
    EXPECT_EQ(table.list_pools()[0].slots_free, 1U);
}

TEST(PublishedView, IndexFollowsEveryChangeOfShape) {
    NodeTable table({}, Instant{});
    join(table, "b", {report("p", "m")});
    EXPECT_EQ(table.view()->find_model("m").size(), 1U);
    join(table, "a", {report("p", "m"), report("q", "n")});
    auto view = table.view();
    ASSERT_EQ(view->find_model("m").size(), 2U);
    EXPECT_EQ(view->pool(view->find_model("n")[0]).key.pool.str(), "q");
    beat(table, "a", {report("q", "m")});
    view = table.view();
    EXPECT_TRUE(view->find_model("n").empty());
    EXPECT_EQ(view->find_model("m").size(), 2U);
    ASSERT_TRUE(table.deregister(NodeId("a")));
    view = table.view();
    ASSERT_EQ(view->find_model("m").size(), 1U);
    EXPECT_EQ(view->node(view->find_model("m")[0]).id.str(), "b");
}

// Removed and back between two publications: the index must not keep pools of the old one.
TEST(PublishedView, IndexSurvivesReplacementBetweenPublications) {
    NodeTable table({}, Instant{});
    join(table, "a", {report("p", "m"), report("q", "n")});
    join(table, "b", {report("p", "m")});
    table.view();
    ASSERT_TRUE(table.deregister(NodeId("a")));
    join(table, "a", {report("q", "n")});
    const auto view = table.view();
    ASSERT_EQ(view->find_model("m").size(), 1U);
    EXPECT_EQ(view->node(view->find_model("m")[0]).id.str(), "b");
}

TEST(PublishedView, AnOldViewStaysWhole) {
    NodeTable table({}, Instant{});
    join(table, "a", {report("p", "m")});
    const auto old = table.view();
    ASSERT_TRUE(table.deregister(NodeId("a")));
    table.view();
    ASSERT_EQ(old->find_model("m").size(), 1U);
    EXPECT_TRUE(old->pool(old->find_model("m")[0]).cell->try_claim());
}

TEST(PublishedView, WarmsUpForOneNodeTimeout) {
    NodeTable table({.node_timeout = seconds(30)}, Instant(seconds(100)));
    join(table, "a", {});
    EXPECT_TRUE(table.view()->warming_up(Instant(seconds(130)) - Duration(1)));
    EXPECT_FALSE(table.view()->warming_up(Instant(seconds(130))));
}

TEST(PublishedView, AtHomeWarmsUpUntilTheFirstReport) {
    NodeTable table({.home = true}, Instant{});
    EXPECT_TRUE(table.view()->warming_up(Instant(std::chrono::hours(9))));
    join(table, "a", {});
    EXPECT_FALSE(table.view()->warming_up(Instant{}));
}

TEST(PublishedView, TranslatesReports) {
    NodeTable table({}, Instant{});
    api::PoolReport full = report("p", "qwen");
    full.models_available = {"gpt"};
    full.engine = "vllm";
    full.kind = ModelKind::rerank;
    full.vram_free_bytes = 5;
    full.vram_total_bytes = 9;
    full.device_mask = "0,1";
    full.labels = {{"tier", "fast"}};
    join(table, "a", {full});
    const auto view = table.view();
    EXPECT_EQ(view->find_node(NodeId("a"))->endpoint, (view::Endpoint{true, "a", 9200}));
    const view::PoolBlock* const pool = view->find_pool({NodeId("a"), PoolId("p")});
    ASSERT_NE(pool, nullptr);
    EXPECT_EQ(pool->served_name, "qwen");
    EXPECT_EQ(pool->models, (std::vector<std::string>{"qwen", "gpt"}));
    EXPECT_EQ(pool->engine, EngineFamily::vllm);
    EXPECT_EQ(pool->kind, ModelKind::rerank);
    EXPECT_EQ(pool->ctx, 8192U);
    EXPECT_EQ(pool->vram_free, 5U);
    EXPECT_EQ(pool->vram_total, 9U);
    EXPECT_EQ(pool->device_mask, "0,1");
    EXPECT_EQ(pool->labels.at("tier"), "fast");
}

TEST(PublishedView, ServesNodesOfTheEarlierFormat) {
    NodeTable table({}, Instant{});
    api::PoolReport plain;
    plain.pool_id = PoolId("pool-0");
    plain.ready = true;
    plain.slots_free = 1;
    plain.slots_total = 1;
    plain.engine = "llama.cpp something";
    join(table, "a", {plain});
    const auto view = table.view();
    ASSERT_EQ(view->pools_of(ModelKind::chat).size(), 1U);
    const view::PoolBlock& pool = view->pool(view->pools_of(ModelKind::chat)[0]);
    EXPECT_EQ(pool.engine, EngineFamily::openai);
    EXPECT_TRUE(pool.models.empty());
    EXPECT_EQ(pool.cell->capacity(), 1U);
}

TEST(ClaimableSlots, NeverExceedWhatThereIs) {
    api::PoolReport pool;
    pool.slots_total = 4;
    pool.slots_free = 3;
    pool.active_leases = 3;
    EXPECT_EQ(claimable_slots(pool, 9), 4U);
    pool.active_leases = 0;
    EXPECT_EQ(claimable_slots(pool, 9), 3U);
    pool.active_leases.reset();
    EXPECT_EQ(claimable_slots(pool, 0), 3U);
    EXPECT_EQ(claimable_slots(pool, 1), 4U);
}

TEST(ModelListing, CountsOnlineNodesAndReadyPools) {
    NodeTable table({}, Instant{});
    api::PoolReport loading = report("q", "m");
    loading.ready = false;
    loading.ctx = 16384;
    join(table, "a", {report("p", "m"), loading});
    join(table, "b", {report("p", "m"), report("q", "z")});
    join(table, "c", {report("p", "gone")});
    table.expire(Instant{});
    const auto list = list_models(*table.view(), 7);
    ASSERT_EQ(list.data.size(), 3U);
    EXPECT_EQ(list.data[0].id, "gone");
    EXPECT_EQ(list.data[1].id, "m");
    EXPECT_EQ(list.data[1].created, 7);
    EXPECT_EQ(list.data[1].llorch.ready_pools, 2U);
    EXPECT_EQ(list.data[1].llorch.nodes, 2U);
    EXPECT_EQ(list.data[1].llorch.ctx, 16384U);
    ASSERT_TRUE(table.set_cordoned(NodeId("b"), true));
    EXPECT_EQ(list_models(*table.view(), 7).data[1].llorch.ready_pools, 1U);
    table.expire(Instant(seconds(30)));
    EXPECT_TRUE(list_models(*table.view(), 7).data.empty());
}

TEST(NodeChange, HasAWordForEachKind) {
    EXPECT_EQ(to_string(NodeChange::Kind::pool_unready), "pool_unready");
    EXPECT_EQ(to_string(NodeChange::Kind::registered), "registered");
    EXPECT_EQ(to_string(NodeChange::Kind::removed), "removed");
}

}  // namespace
}  // namespace orch::control::registry
