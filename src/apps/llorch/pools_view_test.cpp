#include "apps/llorch/pools_view.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;

api::PoolInfo ready_pool() {
    api::PoolInfo pool;
    pool.node_id = NodeId("gpu-1");
    pool.pool_id = PoolId("chat");
    pool.ready = true;
    pool.slots_total = 4;
    pool.slots_free = 3;
    pool.engine = "llamacpp";
    pool.served_name = "qwen3-8b";
    pool.ctx = 8192;
    pool.vram_total_bytes = 24 * kGiB;
    pool.vram_free_bytes = 5 * kGiB + kGiB / 2;
    return pool;
}

api::ReplicaReport replica(std::string state) {
    api::ReplicaReport report;
    report.replica_id = ReplicaId("r0");
    report.state = std::move(state);
    report.since_ms = kNow - 125'000;
    return report;
}

api::PoolInfo pool_with(api::ReplicaReport report) {
    api::PoolInfo pool = ready_pool();
    pool.ready = false;
    pool.slots_free = 0;
    pool.replicas = {std::move(report)};
    return pool;
}

std::string below_heading(const api::PoolInfo& pool) {
    const std::string text = pools_text(api::make_list({pool}), kNow, {});
    return text.substr(text.find('\n') + 1);
}

TEST(PoolsView, ShowsAReadyPoolInOneLine) {
    EXPECT_EQ(
        pools_text(api::make_list({ready_pool()}), kNow, {}),
        "NODE   POOL  MODEL     ENGINE    STATE  SLOTS FREE   CTX     VRAM FREE\n"
        "gpu-1  chat  qwen3-8b  llamacpp  ready         3/4  8192  5.5/24.0 GiB\n"
    );
}

TEST(PoolsView, ShowsDashesForWhatANodeDoesNotSay) {
    api::PoolInfo pool;
    pool.node_id = NodeId("n");
    pool.pool_id = PoolId("p");
    pool.ready = true;
    EXPECT_EQ(
        below_heading(pool), "n     p     -      -       ready         0/0    -          -\n"
    );
}

TEST(PoolsView, TellsWhyAnEngineGaveUpWithTheEndOfItsLog) {
    api::ReplicaReport broken = replica("broken");
    broken.last_error = "exit code 1 (model_error)\nllama_model_load: error\n  bad magic\n";
    broken.log_path = "/var/log/chat-r0.log";
    api::PoolInfo pool = pool_with(broken);
    pool.last_error = broken.last_error;
    EXPECT_EQ(
        below_heading(pool),
        "gpu-1  chat  qwen3-8b  llamacpp  broken         0/4  8192  5.5/24.0 GiB\n"
        "    replica r0: broken since 2m ago\n"
        "      error: exit code 1 (model_error)\n"
        "        | llama_model_load: error\n"
        "        |   bad magic\n"
        "      log: /var/log/chat-r0.log\n"
    );
}

TEST(PoolsView, ShowsHowFarAModelIsLoaded) {
    api::ReplicaReport loading = replica("loading");
    loading.load_progress = 0.42;
    loading.pid = 4711;
    EXPECT_EQ(
        below_heading(pool_with(loading)),
        "gpu-1  chat  qwen3-8b  llamacpp  loading 42%         0/4  8192  5.5/24.0 GiB\n"
        "    replica r0: loading 42% since 2m ago, pid 4711\n"
    );
}

TEST(PoolsView, LetsTheBestReplicaSpeakForThePool) {
    api::PoolInfo pool = pool_with(replica("broken"));
    pool.replicas.push_back(replica("backing_off"));
    EXPECT_NE(below_heading(pool).find("llamacpp  backing off  "), std::string::npos);
}

TEST(PoolsView, TellsOfAFailedReplicaOfAReadyPool) {
    api::PoolInfo pool = ready_pool();
    pool.replicas = {replica("ready"), replica("broken")};
    pool.replicas[1].replica_id = ReplicaId("r1");
    pool.replicas[1].last_error = "signal 9";
    EXPECT_EQ(
        below_heading(pool),
        "gpu-1  chat  qwen3-8b  llamacpp  ready         3/4  8192  5.5/24.0 GiB\n"
        "    replica r1: broken since 2m ago\n"
        "      error: signal 9\n"
    );
}

TEST(PoolsView, ShowsThePoolsOwnErrorWhenNoReplicaTellsIt) {
    api::PoolInfo pool = pool_with(replica("ready"));
    pool.last_error = "nothing listens there";
    EXPECT_EQ(
        below_heading(pool),
        "gpu-1  chat  qwen3-8b  llamacpp  not ready         0/4  8192  5.5/24.0 GiB\n"
        "    error: nothing listens there\n"
    );
}

TEST(PoolsView, SaysThatAPoolDrains) {
    api::PoolInfo pool = ready_pool();
    pool.draining = true;
    EXPECT_EQ(
        below_heading(pool),
        "gpu-1  chat  qwen3-8b  llamacpp  draining         3/4  8192  5.5/24.0 GiB\n"
        "    finishes what it runs and takes no new work\n"
    );
}

TEST(PoolsView, TellsAPoolAtRestFromOneThatIsDrained) {
    api::PoolInfo pool = pool_with(replica("stopped"));
    pool.loadable = true;
    EXPECT_EQ(
        below_heading(pool),
        "gpu-1  chat  qwen3-8b  llamacpp  at rest         0/4  8192  5.5/24.0 GiB\n"
        "    the first request for it loads it\n"
    );
    pool.loadable = false;
    pool.draining = true;
    EXPECT_EQ(
        below_heading(pool),
        "gpu-1  chat  qwen3-8b  llamacpp  drained         0/4  8192  5.5/24.0 GiB\n"
        "    takes no work until it is preloaded\n"
    );
}

TEST(PoolsView, AdmitsThatNothingIsKnown) {
    api::PoolInfo pool = ready_pool();
    pool.ready = false;
    EXPECT_NE(
        below_heading(pool).find("\n    its node reports no replica and no error\n"),
        std::string::npos
    );
}

TEST(PoolsView, DisarmsAnEnginesLog) {
    api::ReplicaReport broken = replica("broken");
    broken.last_error = "boom\n\x1b]0;title\a";
    EXPECT_EQ(below_heading(pool_with(broken)).find('\x1b'), std::string::npos);
}

TEST(PoolsView, SaysThatThereIsNone) {
    EXPECT_EQ(pools_text({}, kNow, {}), "No node has a pool.\n");
}

}  // namespace
}  // namespace orch::llorch
