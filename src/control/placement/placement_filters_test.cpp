#include "control/placement/explanation.hpp"
#include "control/placement/placement_fixture.hpp"

// Each requirement of a request: who passes, what is said of those who do not, what it is called
// when nobody does.
namespace orch::control::placement {
namespace {

class Filtering : public testing::Test {
protected:
    Filtering() {
        PoolBlock a = pool(key("a", "p"), "m");
        a.ctx = 8192;
        a.device_mask = "0";
        a.labels = {{"tier", "fast"}};
        cluster_.add(a).labels = {{"zone", "x"}, {"tier", "slow"}};
        PoolBlock b = pool(key("b", "p"), "m");
        b.engine = EngineFamily::vllm;
        b.ctx = 32768;
        b.device_mask = "0,1";
        cluster_.add(b).labels = {{"zone", "y"}};
        cluster_.add(pool(key("c", "p"), "m")).machine_id = MachineId("box");
    }

    Names ranked() const { return ranking(cluster_, request_); }

    Names reasons(const char* node) const {
        const ClusterView view = cluster_.view();
        const Decision decision = decide_in(view, request_);
        for (const Considered& each : decision.considered) {
            if (each.key.node.str() == node) {
                return each.reasons;
            }
        }
        return {};
    }

    std::string refusal() const {
        const ClusterView view = cluster_.view();
        const Decision decision = decide_in(view, request_);
        EXPECT_TRUE(decision.rejection);
        if (!decision.rejection) {
            return "";
        }
        EXPECT_EQ(decision.rejection->code, Errc::pool_unavailable);
        return decision.rejection->message;
    }

    Cluster cluster_;
    PlacementRequest request_ = asking("m");
};

TEST_F(Filtering, KeepsToTheEngine) {
    request_.engine = EngineFamily::vllm;
    EXPECT_EQ(ranked(), (Names{"b/p"}));
    EXPECT_EQ(reasons("a"), (Names{"its engine is llamacpp, not vllm"}));
    request_.engine = EngineFamily::tgi;
    EXPECT_EQ(refusal(), "nothing fits the request: no pool runs the engine tgi");
}

TEST_F(Filtering, AsksForContextWhereItIsKnown) {
    request_.ctx = 8192;
    EXPECT_EQ(ranked(), (Names{"a/p", "b/p", "c/p"}));
    request_.ctx = 8193;
    EXPECT_EQ(ranked(), (Names{"b/p", "c/p"})) << "c does not say: its engine will judge";
    EXPECT_EQ(reasons("a"), (Names{"its slots hold 8192 tokens, not 8193"}));
    request_.ctx = 65536;
    request_.avoid = {{.node = NodeId("c"), .pool = {}}};
    EXPECT_EQ(rejection(cluster_, request_), Errc::pool_unavailable);
    EXPECT_EQ(reasons("b"), (Names{"its slots hold 32768 tokens, not 65536"}));
}

TEST_F(Filtering, AsksForVramOnlyWhereTheModelMustLoadFirst) {
    Cluster unloaded;
    unloaded.add(at_rest(key("a", "p"), 100 * kGiB));
    const ClusterView view = unloaded.view();
    const Decision decision = decide_in(view, request_);
    ASSERT_TRUE(decision.rejection);
    EXPECT_EQ(decision.rejection->code, Errc::pool_unavailable);
    EXPECT_EQ(
        decision.considered.at(0).reasons,
        (Names{
            "pool 'p' of node 'a' is at rest: a request loads it",
            "to load its model it needs 100.0 GiB VRAM, and 10.0 GiB are free"
        })
    );
    EXPECT_EQ(decision.to_load, nullptr);
    Cluster fitting;
    fitting.add(at_rest(key("a", "p"), 10 * kGiB));
    EXPECT_EQ(rejection(fitting, request_), Errc::model_not_available) << "until it is loaded";
}

TEST_F(Filtering, ComparesDeviceMasksLetterByLetter) {
    request_.device_mask = "0";
    EXPECT_EQ(ranked(), (Names{"a/p"}));
    EXPECT_EQ(reasons("b"), (Names{"its device mask is '0,1', not '0'"}));
    EXPECT_EQ(reasons("c"), (Names{"its device mask is '', not '0'"}));
    request_.device_mask = "1,0";
    EXPECT_EQ(refusal(), "nothing fits the request: no pool's device mask is '1,0'");
}

TEST_F(Filtering, WantsEveryLabelOfThePoolOrItsNode) {
    request_.labels = {{"zone", "x"}};
    EXPECT_EQ(ranked(), (Names{"a/p"}));
    EXPECT_EQ(reasons("b"), (Names{"its label zone is 'y', not 'x'"}));
    EXPECT_EQ(reasons("c"), (Names{"its label zone is '', not 'x'"}));
    request_.labels = {{"zone", "x"}, {"tier", "slow"}};
    EXPECT_EQ(reasons("a"), (Names{"its label tier is 'fast', not 'slow'"}))
        << "the pool's own label counts before its node's";
    EXPECT_EQ(refusal(), "nothing fits the request: no pool carries the labels it asks for");
    request_.labels = {{"machine_id", "box"}};
    EXPECT_EQ(ranked(), (Names{"c/p"}));
}

TEST_F(Filtering, NeverDropsARequirementForAFallback) {
    request_.fallback = true;
    request_.pin_node = NodeId("a");
    request_.engine = EngineFamily::vllm;
    EXPECT_EQ(ranked(), (Names{"b/p"}));
    request_.labels = {{"zone", "z"}};
    EXPECT_EQ(refusal(), "nothing fits the request: no pool carries the labels it asks for");
}

TEST_F(Filtering, SaysThatRequirementsTogetherMeetNobody) {
    request_.engine = EngineFamily::vllm;
    request_.device_mask = "0";
    EXPECT_EQ(refusal(), "nothing fits the request: each pool lacks something it asks for");
}

TEST_F(Filtering, WaitsForAPoolThatFitsRatherThanCallingItImpossible) {
    PoolBlock loading = pool(key("d", "p"), "m");
    loading.ready = false;
    loading.engine = EngineFamily::tgi;
    cluster_.add(loading);
    request_.engine = EngineFamily::tgi;
    EXPECT_EQ(rejection(cluster_, request_), Errc::model_not_available);
}

TEST_F(Filtering, TellsEveryReasonOfAPool) {
    PoolBlock wrong = pool(key("d", "p"), "other");
    wrong.ready = false;
    cluster_.add(wrong).status = NodeStatus::offline;
    request_.engine = EngineFamily::vllm;
    request_.avoid = {{.node = NodeId("d"), .pool = {}}};
    request_.pin_node = NodeId("b");
    EXPECT_EQ(
        reasons("d"),
        (Names{
            "it does not serve the model 'm'",
            "node 'd' is Offline",
            "pool 'p' of node 'd' is not ready",
            "its engine is llamacpp, not vllm",
            "avoided by the request",
            "the request is pinned elsewhere"
        })
    );
    request_.fallback = true;
    EXPECT_EQ(reasons("d").back(), "avoided by the request") << "a pin is no obstacle now";
    request_ = {};
    request_.kind = ModelKind::embedding;
    EXPECT_EQ(reasons("c"), (Names{"its model is for chat, not for embedding"}));
}

TEST_F(Filtering, ExplainsNoMoreThanAnErrorCanBear) {
    for (int i = 100; i < 400; ++i) {
        cluster_.add(pool(key("n" + std::to_string(i), "p"), i < 300 ? "m" : "other"));
    }
    const ClusterView view = cluster_.view();
    const Decision decision = decide_in(view, request_);
    EXPECT_EQ(decision.considered.size(), kMostExplained);
    EXPECT_EQ(decision.looked_at, 203U);
}

}  // namespace
}  // namespace orch::control::placement
