#include "metrics/registry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace orch::metrics {
namespace {

const FamilySpec kBeats{"beats_total", "Heartbeats taken in.", {"node_id", "outcome"}};
const FamilySpec kOnline{"nodes_online", "1 while a node is online.", {"node_id"}};
const FamilySpec kWait{"wait_ms", "Time in the queue.", {"pool"}, {1, 2.5, 1000000}};

TEST(Registry, SaysHelpAndTypeBeforeThereAreSeries) {
    Registry registry;
    Shard& shard = registry.add_shard();
    shard.counter(kBeats);
    shard.gauge(kOnline);
    shard.histogram(kWait);
    EXPECT_EQ(
        registry.expose(),
        "# HELP beats_total Heartbeats taken in.\n"
        "# TYPE beats_total counter\n"
        "# HELP nodes_online 1 while a node is online.\n"
        "# TYPE nodes_online gauge\n"
        "# HELP wait_ms Time in the queue.\n"
        "# TYPE wait_ms histogram\n"
    );
}

TEST(Registry, WritesCountersAndGaugesInLabelOrder) {
    Registry registry;
    Shard& shard = registry.add_shard();
    auto& beats = shard.counter(kBeats);
    beats.with({"n2", "success"})->add();
    beats.with({"n1", "success"})->add(41);
    beats.with({"n1", "success"})->add();
    auto& online = shard.gauge(kOnline);
    online.with({"n1"})->set(1);
    online.with({"n2"})->add(-0.5);
    EXPECT_EQ(
        registry.expose(),
        "# HELP beats_total Heartbeats taken in.\n"
        "# TYPE beats_total counter\n"
        "beats_total{node_id=\"n1\",outcome=\"success\"} 42\n"
        "beats_total{node_id=\"n2\",outcome=\"success\"} 1\n"
        "# HELP nodes_online 1 while a node is online.\n"
        "# TYPE nodes_online gauge\n"
        "nodes_online{node_id=\"n1\"} 1\n"
        "nodes_online{node_id=\"n2\"} -0.5\n"
    );
}

TEST(Registry, MakesHistogramBucketsCumulative) {
    Registry registry;
    const auto wait = registry.add_shard().histogram(kWait).with({"chat"});
    for (const double value : {0.5, 1.0, 2.0, 3.0, 2000000.0}) {
        wait->observe(value);
    }
    wait->observe(std::numeric_limits<double>::quiet_NaN());
    EXPECT_EQ(
        registry.expose(),
        "# HELP wait_ms Time in the queue.\n"
        "# TYPE wait_ms histogram\n"
        "wait_ms_bucket{pool=\"chat\",le=\"1\"} 2\n"
        "wait_ms_bucket{pool=\"chat\",le=\"2.5\"} 3\n"
        "wait_ms_bucket{pool=\"chat\",le=\"1000000\"} 4\n"
        "wait_ms_bucket{pool=\"chat\",le=\"+Inf\"} 5\n"
        "wait_ms_sum{pool=\"chat\"} 2000006.5\n"
        "wait_ms_count{pool=\"chat\"} 5\n"
    );
}

TEST(Registry, EscapesHelpAndLabelValues) {
    Registry registry;
    auto& odd = registry.add_shard().counter({"odd_total", "A \"line\"\nand a \\.", {"name"}});
    odd.with({"a\"b\\c\nd"})->add();
    EXPECT_EQ(
        registry.expose(),
        "# HELP odd_total A \"line\"\\nand a \\\\.\n"
        "# TYPE odd_total counter\n"
        "odd_total{name=\"a\\\"b\\\\c\\nd\"} 1\n"
    );
}

TEST(Registry, WritesASeriesWithoutLabelsBare) {
    Registry registry;
    Shard& shard = registry.add_shard();
    shard.gauge({"level", "Level."}).with({})->set(std::numeric_limits<double>::infinity());
    EXPECT_EQ(registry.expose(), "# HELP level Level.\n# TYPE level gauge\nlevel +Inf\n");
}

TEST(Registry, SumsShards) {
    Registry registry;
    Shard& first = registry.add_shard();
    Shard& second = registry.add_shard();
    first.counter(kBeats).with({"n1", "success"})->add(2);
    second.counter(kBeats).with({"n1", "success"})->add(3);
    second.histogram(kWait).with({"chat"})->observe(1);
    first.histogram(kWait).with({"chat"})->observe(2);
    const std::string text = registry.expose();
    EXPECT_TRUE(text.contains("beats_total{node_id=\"n1\",outcome=\"success\"} 5\n")) << text;
    EXPECT_TRUE(text.contains("wait_ms_bucket{pool=\"chat\",le=\"1\"} 1\n")) << text;
    EXPECT_TRUE(text.contains("wait_ms_count{pool=\"chat\"} 2\n")) << text;
    EXPECT_TRUE(text.contains("wait_ms_sum{pool=\"chat\"} 3\n")) << text;
}

TEST(Registry, RemovesTheSeriesOfOneNodeInEveryShard) {
    Registry registry;
    Shard& first = registry.add_shard();
    Shard& second = registry.add_shard();
    const auto kept = first.counter(kBeats).with({"n1", "success"});
    kept->add();
    second.counter(kBeats).with({"n1", "error"})->add();
    second.counter(kBeats).with({"n2", "n1"})->add();
    second.histogram(kWait).with({"n1"})->observe(1);
    registry.remove_series("node_id", "n1");
    std::string text = registry.expose();
    EXPECT_FALSE(text.contains("node_id=\"n1\"")) << text;
    EXPECT_TRUE(text.contains("node_id=\"n2\",outcome=\"n1\"} 1\n")) << text;
    EXPECT_TRUE(text.contains("wait_ms_count{pool=\"n1\"} 1\n")) << text;

    kept->add();
    EXPECT_FALSE(registry.expose().contains("node_id=\"n1\""));
    first.counter(kBeats).with({"n1", "success"})->add();
    text = registry.expose();
    EXPECT_TRUE(text.contains("beats_total{node_id=\"n1\",outcome=\"success\"} 1\n")) << text;
}

TEST(Registry, RemovesOnePoolAndKeepsItsNamesakes) {
    Registry registry;
    Shard& shard = registry.add_shard();
    auto& ready = shard.gauge({"pools_available", "x", {"node_id", "pool_id"}});
    shard.gauge(kOnline).with({"n1"})->set(1);
    for (const char* const node : {"n1", "n2"}) {
        ready.with({node, "chat"})->set(1);
        ready.with({node, "embed"})->set(1);
    }
    registry.remove_series({{"node_id", "n1"}, {"pool_id", "chat"}});
    const std::string text = registry.expose();
    EXPECT_FALSE(text.contains("{node_id=\"n1\",pool_id=\"chat\"}")) << text;
    EXPECT_TRUE(text.contains("{node_id=\"n1\",pool_id=\"embed\"} 1\n")) << text;
    EXPECT_TRUE(text.contains("{node_id=\"n2\",pool_id=\"chat\"} 1\n")) << text;
    EXPECT_TRUE(text.contains("nodes_online{node_id=\"n1\"} 1\n")) << text;
}

TEST(Registry, GathersSeriesBeyondTheLimitInOne) {
    Registry registry;
    auto& beats = registry.add_shard().counter(kBeats);
    for (std::size_t i = 0; i < kMaxSeries + 5; ++i) {
        beats.with({std::to_string(i), "success"})->add();
    }
    const std::string text = registry.expose();
    EXPECT_TRUE(text.contains("beats_total{node_id=\"other\",outcome=\"other\"} 5\n"));
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, '\n')), 2 + kMaxSeries + 1);
}

TEST(Registry, GivesTheSameFamilyForTheSameDeclaration) {
    Registry registry;
    Shard& shard = registry.add_shard();
    EXPECT_EQ(&shard.counter(kBeats), &shard.counter(kBeats));
    EXPECT_EQ(shard.counter(kBeats).with({"a", "b"}), shard.counter(kBeats).with({"a", "b"}));
    EXPECT_NE(shard.counter(kBeats).with({"a", "b"}), shard.counter(kBeats).with({"b", "a"}));
}

TEST(Registry, RefusesContradictionsAndMalformedNames) {
    Registry registry;
    Shard& first = registry.add_shard();
    Shard& second = registry.add_shard();
    first.counter(kBeats);
    EXPECT_THROW(second.gauge(kBeats), std::logic_error);
    EXPECT_THROW(second.counter({"beats_total", "Other.", {"node_id"}}), std::logic_error);
    EXPECT_THROW(second.counter({"2bad", "x"}), std::logic_error);
    EXPECT_THROW(second.counter({"", "x"}), std::logic_error);
    EXPECT_THROW(second.counter({"good", "x", {"le"}}), std::logic_error);
    EXPECT_THROW(second.counter({"good", "x", {"a:b"}}), std::logic_error);
    EXPECT_THROW(second.histogram({"good", "x", {}, {2, 2}}), std::logic_error);
    EXPECT_THROW(second.histogram({"good", "x"}), std::logic_error);
    EXPECT_THROW(first.counter(kBeats).with({"n1"}), std::logic_error);
}

TEST(Registry, LosesNothingWhenThreadsWriteAndOneReads) {
    Registry registry;
    Shard& shard = registry.add_shard();
    constexpr int kThreads = 4;
    constexpr int kWrites = 5000;
    std::vector<std::jthread> writers;
    for (int i = 0; i < kThreads; ++i) {
        writers.emplace_back([&shard] {
            for (int n = 0; n < kWrites; ++n) {
                shard.counter(kBeats).with({"n1", "success"})->add();
                shard.gauge(kOnline).with({"n1"})->add(1);
                shard.histogram(kWait).with({"chat"})->observe(1);
            }
        });
    }
    for (int i = 0; i < 50; ++i) {
        registry.expose();
        registry.remove_series("node_id", "other");
    }
    writers.clear();
    const std::string text = registry.expose();
    EXPECT_TRUE(text.contains("outcome=\"success\"} 20000\n")) << text;
    EXPECT_TRUE(text.contains("nodes_online{node_id=\"n1\"} 20000\n")) << text;
    EXPECT_TRUE(text.contains("wait_ms_count{pool=\"chat\"} 20000\n")) << text;
}

}  // namespace
}  // namespace orch::metrics
