#include "apps/llorch/explain_view.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

api::TaskCandidate candidate(std::string node, bool feasible, std::string reason) {
    api::TaskCandidate made;
    made.node_id = NodeId(std::move(node));
    made.pool_id = PoolId("chat");
    made.feasible = feasible;
    made.reasons = {std::move(reason)};
    made.load = 0.25;
    made.vram_free_bytes = 3 * kGiB;
    return made;
}

TEST(ExplainView, TellsTheChoiceAndWhyNotTheOthers) {
    api::TaskPreview preview;
    preview.decision = api::TaskChoice{NodeId("gpu-1"), PoolId("chat")};
    preview.candidates = {
        candidate("gpu-2", true, "suspect"),
        candidate("gpu-1", true, "1 of 4 slots busy"),
        candidate("gpu-3", false, "node 'gpu-3' is Offline"),
    };
    EXPECT_EQ(
        explain_text(preview, {}),
        "to pool chat of node gpu-1, at once\n"
        "\n"
        "ORDER  NODE   POOL  VERDICT  LOAD  VRAM FREE\n"
        "    1  gpu-2  chat  fits      25%    3.0 GiB\n"
        "    suspect\n"
        "    2  gpu-1  chat  chosen    25%    3.0 GiB\n"
        "    1 of 4 slots busy\n"
        "    -  gpu-3  chat  no        25%    3.0 GiB\n"
        "    node 'gpu-3' is Offline\n"
    );
}

TEST(ExplainView, TellsWhyNowhere) {
    api::TaskPreview preview;
    preview.code = "MODEL_NOT_FOUND";
    preview.message = "no node lists the model 'x\x1b'";
    EXPECT_EQ(
        explain_text(preview, {}), "nowhere: MODEL_NOT_FOUND: no node lists the model 'x?'\n"
    );
}

TEST(ExplainView, TellsWhatIsWaitedFor) {
    api::TaskPreview preview;
    preview.message = "no pool is ready to serve the model 'm'";
    preview.queue_position = 2;
    EXPECT_EQ(
        explain_text(preview, {}),
        "no pool is ready to serve the model 'm', and one that comes back or is loaded is waited "
        "for: 2 before it in "
        "the queue\n"
    );
}

TEST(ExplainView, TellsOfTheQueue) {
    api::TaskPreview preview;
    preview.queue_position = 3;
    EXPECT_EQ(
        explain_text(preview, {}), "every pool that fits is full: 3 before it in the queue\n"
    );
    preview.predicted_start_ms = 2500;
    EXPECT_TRUE(explain_text(preview, {}).ends_with("a slot in about 2.5 s\n"));
}

}  // namespace
}  // namespace orch::llorch
