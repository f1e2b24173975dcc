#include "api/catalog_availability.hpp"
#include "api/operation.hpp"
#include "loopback/control_ring.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace orch::loopback {
namespace {

api::PoolReport pool(std::string id, std::vector<std::string> models) {
    api::PoolReport report;
    report.pool_id = PoolId(std::move(id));
    report.ready = true;
    report.slots_free = 2;
    report.slots_total = 2;
    report.active_leases = 0;
    report.served_name = models.front();
    report.models_available = std::move(models);
    return report;
}

struct CatalogTest : ControlRing {
    std::filesystem::path folder;

    CatalogTest() {
        std::string name =
            (std::filesystem::temp_directory_path() / "orch-catalog-XXXXXX").string();
        folder = mkdtemp(name.data());
        config.state_dir = folder.string();
    }

    ~CatalogTest() override {
        stop(Duration::zero());
        std::filesystem::remove_all(folder);
    }

    api::CatalogAvailability availability() {
        const Answer answer = ask("GET", "/v2/catalog/availability");
        EXPECT_EQ(answer.status, 200);
        const auto seen = api::from_json<api::CatalogAvailability>(answer.body);
        EXPECT_TRUE(seen.has_value()) << answer.body;
        return seen.value_or(api::CatalogAvailability{});
    }
};

TEST_F(CatalogTest, AvailabilityEndpointListsNodesAndCountsReplicas) {
    start();
    join("n1", {pool("a", {"tiny"}), pool("b", {"tiny"})});
    join("n2", {pool("a", {"tiny"}), pool("b", {"large"})});
    const auto seen = availability();
    EXPECT_EQ(seen.nodes.size(), 2U);
    EXPECT_EQ(seen.replicated_models, std::vector<std::string>{"tiny"});
    EXPECT_EQ(seen.single_node_models, std::vector<std::string>{"large"});
    ASSERT_EQ(seen.models.size(), 2U);
    EXPECT_EQ(seen.models[1].total_capacity, 6U);
}

TEST_F(CatalogTest, AvailabilityEndpointIsEmptyWithoutNodesAndNeedsAToken) {
    start();
    EXPECT_EQ(availability().total_models, 0U);
    const Answer stranger = ask(
        "GET", "/v2/catalog/availability", "", "Authorization: Bearer wrong-token-0123456789\r\n"
    );
    EXPECT_EQ(stranger.status, 401);
}

TEST_F(CatalogTest, AnEntryIsCreatedReplacedAndRemoved) {
    start();
    EXPECT_EQ(ask("POST", "/v2/catalog/models", R"({"id":"tiny"})").status, 201);
    EXPECT_EQ(ask("POST", "/v2/catalog/models", R"({"id":"tiny","tags":["x"]})").status, 200);
    EXPECT_TRUE(ask("GET", "/v2/catalog/models/tiny").body.contains(R"("tags":["x"])"));
    EXPECT_TRUE(std::filesystem::exists(folder / "catalog.json"));
    EXPECT_EQ(ask("DELETE", "/v2/catalog/models/tiny").status, 204);
    EXPECT_EQ(ask("GET", "/v2/catalog/models/tiny").status, 404);
    EXPECT_EQ(ask("DELETE", "/v2/catalog/models/tiny").status, 404);
}

TEST_F(CatalogTest, AnUnsignedEntryIsRefusedUnderAStrictPolicy) {
    start();
    const Answer refused =
        ask("POST", "/v2/catalog/models", R"({"id":"tiny"})", "X-Trust-Policy: strict\r\n");
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(code_of(refused), "UNTRUSTED_ARTIFACT");
    EXPECT_EQ(
        code_of(ask("POST", "/v2/catalog/models", R"({"id":"t"})", "X-Trust-Policy: lax\r\n")),
        "INVALID_PARAMS"
    );
}

TEST_F(CatalogTest, StagingOfAnUnknownModelOrToAnUnknownNodeIsNotFound) {
    start();
    join("n1", {pool("a", {"tiny"})});
    const Answer model = ask("POST", "/v2/catalog/stage", R"({"model_ref":"m","nodes":["n1"]})");
    EXPECT_EQ(model.status, 404);
    EXPECT_EQ(ask("POST", "/v2/catalog/stage", R"({"model_ref":"/m","nodes":["n9"]})").status, 404);
    EXPECT_EQ(ask("POST", "/v2/catalog/stage", R"({"model_ref":"/m"})").status, 400);
    EXPECT_EQ(ask("GET", "/v2/operations/op-1").status, 404);
    EXPECT_EQ(ask("GET", "/v2/operations/op-1/events").status, 404);
}

TEST_F(CatalogTest, ANodeThatKnowsNoStoreFailsItsPartByName) {
    start();
    join("n1", {pool("a", {"tiny"})});  // the fake node has no such route
    const Answer begun = ask("POST", "/v2/catalog/stage", R"({"model_ref":"/m","nodes":["n1"]})");
    EXPECT_EQ(begun.status, 202);
    const auto operation = api::from_json<api::Operation>(begun.body);
    ASSERT_TRUE(operation);
    const std::string events = ask("GET", "/v2/operations/" + operation->id + "/events").body;
    EXPECT_TRUE(events.contains("event: end")) << events;
    EXPECT_TRUE(events.contains(R"("state":"failed")")) << events;
    EXPECT_TRUE(events.contains(R"("error":"n1: )")) << events;
}

struct Retirement : CatalogTest {
    void start_with_two_models() {
        start();
        FakeNode& node = join("n1", {pool("a", {"tiny", "alias"}), pool("b", {"large"})});
        node.play(answer(R"({"ok":true})"));
        EXPECT_EQ(ask("POST", "/v2/catalog/models", R"({"id":"tiny"})").status, 201);
    }

    int set_state(std::string_view body) {
        return ask("POST", "/v2/catalog/models/tiny/state", body).status;
    }
};

TEST_F(Retirement, EveryWayToAskForARetiredModelAnswersGone) {
    start_with_two_models();
    EXPECT_EQ(set_state(R"({"state":"Retired"})"), 202);
    for (const auto& [path, body] : std::map<std::string_view, std::string_view>{
             {"/v1/chat/completions", R"({"model":"tiny","messages":[]})"},
             {"/v1/completions", R"({"model":"alias","prompt":"p"})"},
             {"/v1/embeddings", R"({"model":"tiny","input":"p"})"},
             {"/v1/rerank", R"({"model":"tiny","query":"q","documents":["d"]})"},
             {"/v2/tasks", R"({"model":"tiny","prompt":"p"})"},
         }) {
        const Answer got = ask("POST", path, body);
        EXPECT_EQ(got.status, 410) << path << got.body;
        EXPECT_EQ(code_of(got), "MODEL_DEPRECATED") << path;
    }
    EXPECT_TRUE(wait_metric(R"(tasks_rejected_total{reason="MODEL_DEPRECATED"} 5)"));
    const Answer preview = ask("POST", "/v2/tasks/preview", R"({"model":"tiny","prompt":"p"})");
    EXPECT_TRUE(preview.body.contains("MODEL_DEPRECATED")) << preview.body;
    EXPECT_EQ(chat(R"({"model":"large","messages":[]})").status, 200);
}

TEST_F(Retirement, WithoutAModelTheRestServes) {
    start_with_two_models();
    EXPECT_EQ(set_state(R"({"state":"Retired"})"), 202);
    for (int i = 0; i < 4; ++i) {
        const Answer got = chat(R"({"messages":[]})");
        EXPECT_EQ(got.status, 200);
        EXPECT_EQ(got.header("X-Llorch-Pool"), "b");
    }
}

TEST_F(Retirement, AModelThatIsTakenBackIsServed) {
    start_with_two_models();
    EXPECT_EQ(set_state(R"({"state":"Retired"})"), 202);
    EXPECT_TRUE(wait_metric(R"(model_state{model_id="tiny",state="Retired"} 1)"));
    EXPECT_EQ(set_state(R"({"state":"Active"})"), 202);
    EXPECT_EQ(chat(R"({"model":"tiny","messages":[]})").status, 200);
    EXPECT_TRUE(wait_metric(R"(model_state{model_id="tiny",state="Retired"} 0)"));
    EXPECT_TRUE(wait_metric(R"(model_state{model_id="tiny",state="Active"} 1)"));
    EXPECT_EQ(ask("DELETE", "/v2/catalog/models/tiny").status, 204);
    EXPECT_FALSE(metrics().contains("model_state{"));
}

TEST_F(Retirement, ADeadlineRetiresItWithoutAnotherCall) {
    start_with_two_models();
    EXPECT_EQ(set_state(R"({"state":"Retired","deadline_ms":300})"), 202);
    EXPECT_EQ(chat(R"({"model":"tiny","messages":[]})").status, 200);
    EXPECT_TRUE(wait_metric(R"(model_state{model_id="tiny",state="Retired"} 1)"));
    EXPECT_EQ(chat(R"({"model":"tiny","messages":[]})").status, 410);
}

TEST_F(Retirement, ARestartRemembersIt) {
    std::ofstream(folder / "catalog.json") << R"({"models":[{"id":"tiny","state":"Retired"}]})";
    start();
    join("n1", {pool("a", {"tiny"})});
    EXPECT_EQ(chat(R"({"model":"tiny","messages":[]})").status, 410);
}

TEST_F(CatalogTest, VerificationsAreCountedByNodeAndByWhatCameOfThem) {
    start();
    join("n1", {});
    api::HeartbeatRequest message;
    message.timestamp = "2025-10-01T12:00:00Z";
    message.boot_id = "b1";
    message.seq = ++seq["n1"];
    message.models = {{.id = "tiny", .digest = std::nullopt, .bytes = 1, .state = "ready"}};
    EXPECT_EQ(ask("POST", "/v2/nodes/n1/heartbeat", api::to_json(message)).status, 200);
    EXPECT_FALSE(metrics().contains("catalog_verifications_total{"));
    EXPECT_EQ(ask("POST", "/v2/catalog/models/tiny/verify").status, 202);
    EXPECT_TRUE(
        wait_metric(R"(catalog_verifications_total{node_id="n1",result="fail",reason="error"} 1)")
    );
}

}  // namespace
}  // namespace orch::loopback
