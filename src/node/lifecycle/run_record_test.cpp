#include "node/lifecycle/run_record.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

RunRecord record() {
    return {
        .pool = PoolId("chat"),
        .replica = ReplicaId("r0"),
        .pid = 4242,
        .start_time = 987654,
        .port = 31337,
        .boot_id = "5f1c",
        .start_digest = "c0ffee",
        .log_path = "/state/logs/chat-r0.log"
    };
}

RunFacts matching() {
    return {
        .boot_id = "5f1c",
        .process = ProcessFacts{.pid = 4242, .state = 'S', .cpu_ticks = 9, .start_time = 987654},
        .start_digest = record().start_digest
    };
}

TEST(RunRecord, ComesBackFromJsonAsItWas) {
    EXPECT_EQ(run_record_from_json(to_json(record())).value(), record());
    EXPECT_EQ(run_record_file_name(PoolId("chat"), ReplicaId("r0")), "chat-r0.json");
}

TEST(RunRecord, RefusesRecordsThatCouldNameAnyProcess) {
    const auto refused = [](auto change) {
        RunRecord bad = record();
        change(bad);
        return !run_record_from_json(to_json(bad)).has_value();
    };
    EXPECT_TRUE(refused([](RunRecord& r) { r.pid = 1; }));
    EXPECT_TRUE(refused([](RunRecord& r) { r.pid = -1; }));
    EXPECT_TRUE(refused([](RunRecord& r) { r.start_time = 0; }));
    EXPECT_TRUE(refused([](RunRecord& r) { r.port = 0; }));
    EXPECT_TRUE(refused([](RunRecord& r) { r.boot_id.clear(); }));
    EXPECT_TRUE(refused([](RunRecord& r) { r.pool = PoolId("../x"); }));
    EXPECT_FALSE(run_record_from_json("").has_value());
    EXPECT_FALSE(run_record_from_json("{}").has_value());
    EXPECT_FALSE(run_record_from_json(R"({"pid":"4242"})").has_value());
}

TEST(RunRecord, ReadsRecordsOfOtherVersions) {
    std::string newer = to_json(record());
    newer.insert(1, R"("cgroup":"/x","pool_spec":{"slots":4},)");
    EXPECT_EQ(run_record_from_json(newer).value(), record());
    const auto older = run_record_from_json(
        R"({"pool":"chat","replica":"r0","pid":4242,"start_time":9,"port":80,"boot_id":"b"})"
    );
    ASSERT_TRUE(older);
    EXPECT_EQ(older->log_path, "");
    RunFacts facts = matching();
    facts.boot_id = "b";
    facts.process->start_time = 9;
    EXPECT_EQ(decide_run(*older, facts), RunVerdict::end) << "what it was started as is unknown";
    facts.start_digest = "";
    EXPECT_EQ(decide_run(*older, facts), RunVerdict::end);
}

TEST(DecideRun, AdoptsWhatIsStillOurs) {
    EXPECT_EQ(decide_run(record(), matching()), RunVerdict::adopt);
    RunFacts stopped = matching();
    stopped.process->state = 'T';
    EXPECT_EQ(decide_run(record(), stopped), RunVerdict::adopt);
}

TEST(DecideRun, EndsWhatWasStartedForOtherSettings) {
    RunFacts facts = matching();
    facts.start_digest = "decaf";
    EXPECT_EQ(decide_run(record(), facts), RunVerdict::end);
}

TEST(DecideRun, EndsWhatNoReplicaOfTheSettingsWants) {
    RunFacts facts = matching();
    facts.start_digest.reset();
    EXPECT_EQ(decide_run(record(), facts), RunVerdict::end);
}

TEST(DecideRun, NeverTouchesSomebodyElsesProcess) {
    RunFacts facts = matching();
    facts.process.reset();
    EXPECT_EQ(decide_run(record(), facts), RunVerdict::gone);
    facts = matching();
    facts.process->start_time = 987655;
    EXPECT_EQ(decide_run(record(), facts), RunVerdict::gone);
    facts = matching();
    facts.process->pid = 4243;
    EXPECT_EQ(decide_run(record(), facts), RunVerdict::gone);
    facts = matching();
    facts.boot_id = "after a reboot";
    EXPECT_EQ(decide_run(record(), facts), RunVerdict::gone);
    facts = matching();
    facts.process->state = 'Z';
    EXPECT_EQ(decide_run(record(), facts), RunVerdict::gone);
}

}  // namespace
}  // namespace orch::node::lifecycle
