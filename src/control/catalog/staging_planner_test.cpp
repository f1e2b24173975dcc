#include "control/catalog/staging_planner.hpp"

#include <gtest/gtest.h>

namespace orch::control::catalog {
namespace {

constexpr Bytes kSize = 1000;

api::NodeInfo node(std::string id, Bytes free = 10 * kSize) {
    api::NodeInfo out;
    out.node_id = NodeId(id);
    out.address = "http://" + id + ":9200";
    out.online = true;
    out.reachable = true;
    out.disk_free_bytes = free;
    return out;
}

api::NodeInfo holder(std::string id, std::string digest = "sha256:1", std::string state = "ready") {
    api::NodeInfo out = node(std::move(id));
    out.models = {
        {.id = "tiny", .digest = std::move(digest), .bytes = kSize, .state = std::move(state)}
    };
    return out;
}

api::StageRequest to(std::string ref, std::vector<std::string> nodes) {
    api::StageRequest request;
    request.model_ref = std::move(ref);
    for (std::string& id : nodes) {
        request.nodes.emplace_back(std::move(id));
    }
    return request;
}

api::StageRequest replicas(std::string ref, std::uint32_t count) {
    api::StageRequest request;
    request.model_ref = std::move(ref);
    request.replicas = count;
    return request;
}

TEST(StagingPlanner, APathIsEachNodesSource) {
    const std::vector nodes{node("n1"), node("n2")};
    const auto plan = plan_staging(to("/models/My Tiny.gguf", {"n1", "n2"}), nullptr, nodes);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->model_id, "My-Tiny");
    ASSERT_EQ(plan->steps.size(), 2U);
    EXPECT_EQ(plan->steps[0].source, "/models/My Tiny.gguf");
    EXPECT_FALSE(plan->steps[0].peer);
    EXPECT_EQ(plan->steps[1].address, "http://n2:9200");
}

TEST(StagingPlanner, AnIdIsCopiedFromItsHoldersInTurn) {
    const std::vector nodes{holder("n1"), holder("n2"), node("n3"), node("n4")};
    const auto plan = plan_staging(to("tiny", {"n1", "n3", "n4"}), nullptr, nodes);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->digest, "sha256:1");
    EXPECT_EQ(plan->bytes, kSize);
    EXPECT_TRUE(plan->steps[0].has_it);
    EXPECT_EQ(plan->steps[1].source, "http://n1:9200/v2/models/tiny/blob");
    EXPECT_EQ(plan->steps[2].source, "http://n2:9200/v2/models/tiny/blob");
    EXPECT_TRUE(plan->steps[2].peer);
}

TEST(StagingPlanner, TheCatalogsSourceServesWhenNobodyHasIt) {
    api::CatalogModel entry;
    entry.id = "tiny";
    entry.source_url = "http://10.0.0.9/tiny.gguf";
    entry.digest = "sha256:7";
    const std::vector nodes{node("n1"), holder("n2", "sha256:1")};
    const auto plan = plan_staging(to("tiny", {"n1"}), &entry, nodes);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->digest, "sha256:7");
    EXPECT_EQ(plan->steps[0].source, *entry.source_url) << "n2 has other bytes under that name";
    EXPECT_FALSE(plan->steps[0].peer);
}

TEST(StagingPlanner, WithoutAnySourceThereIsNoPlan) {
    const std::vector nodes{node("n1"), holder("n2", "sha256:1", "corrupt")};
    const auto plan = plan_staging(to("tiny", {"n1"}), nullptr, nodes);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, Errc::not_found);
}

TEST(StagingPlanner, AnUnknownNodeIsNamed) {
    const std::vector nodes{holder("n1")};
    const auto plan = plan_staging(to("tiny", {"n9"}), nullptr, nodes);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, Errc::not_found);
    EXPECT_TRUE(plan.error().message.contains("n9"));
}

TEST(StagingPlanner, ANodeThatIsNotThereIsAStepWithItsHindrance) {
    api::NodeInfo away = node("n2");
    away.online = false;
    api::NodeInfo hidden = node("n3");
    hidden.reachable = false;
    hidden.unreachable_reason = "refused";
    const std::vector nodes{holder("n1"), away, hidden};
    const auto plan = plan_staging(to("tiny", {"n2", "n3"}), nullptr, nodes);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->steps[0].hindrance, "the node is not online");
    EXPECT_TRUE(plan->steps[1].hindrance.contains("refused"));
}

TEST(StagingPlanner, ReplicasCountThoseThatHaveItAndTakeTheEmptiestDisks) {
    const std::vector nodes{
        node("a", 2 * kSize), holder("b"), node("c", 9 * kSize), node("d", 5 * kSize)
    };
    const auto plan = plan_staging(replicas("tiny", 3), nullptr, nodes);
    ASSERT_TRUE(plan) << plan.error().message;
    ASSERT_EQ(plan->steps.size(), 3U);
    EXPECT_EQ(plan->steps[0].node, NodeId("b"));
    EXPECT_TRUE(plan->steps[0].has_it);
    EXPECT_EQ(plan->steps[1].node, NodeId("c"));
    EXPECT_EQ(plan->steps[2].node, NodeId("d"));
}

TEST(StagingPlanner, TooFewNodesIsAConflictWithReasons) {
    api::NodeInfo away = node("d");
    away.online = false;
    const std::vector nodes{node("a", kSize - 1), holder("b"), away};
    const auto plan = plan_staging(replicas("tiny", 2), nullptr, nodes);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, Errc::conflict);
    EXPECT_TRUE(plan.error().message.contains("a: 999 bytes are free, 1000 are needed"))
        << plan.error().message;
    EXPECT_TRUE(plan.error().message.contains("d: the node is not online"));
}

TEST(StagingPlanner, CopiesThatDifferNeedADigest) {
    const std::vector nodes{holder("n1", "sha256:1"), holder("n2", "sha256:2"), node("n3")};
    api::StageRequest request = to("tiny", {"n3"});
    EXPECT_EQ(plan_staging(request, nullptr, nodes).error().code, Errc::conflict);
    request.digest = "sha256:2";
    const auto plan = plan_staging(request, nullptr, nodes);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->steps[0].source, "http://n2:9200/v2/models/tiny/blob");
}

TEST(StagingPlanner, AnIdComesFromTheEndOfAUrl) {
    const auto id_of = [](std::string ref) { return staged_id(replicas(std::move(ref), 1)); };
    EXPECT_EQ(id_of("http://10.0.0.9/m/tiny.gguf?download=true"), "tiny");
    EXPECT_EQ(id_of("file:/m/tiny.gguf"), "tiny");
    EXPECT_EQ(id_of("tiny"), "tiny");
    EXPECT_EQ(id_of("http://10.0.0.9/").error().code, Errc::invalid_params);
    api::StageRequest named = replicas("http://10.0.0.9/", 1);
    named.id = "tiny";
    EXPECT_EQ(staged_id(named), "tiny");
}

}  // namespace
}  // namespace orch::control::catalog
