#include "node/lifecycle/pool_spec_yaml.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace orch::node::lifecycle {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ParsedPools parse(std::string_view yaml) {
    return parse_pools(yaml, "node.yaml", [](const std::string& path) {
        return path.starts_with("/models/");
    });
}

std::vector<std::string> errors(std::string_view yaml) {
    std::vector<std::string> messages;
    for (const Error& error : parse(yaml).errors) {
        EXPECT_EQ(error.code, Errc::invalid_params);
        messages.push_back(error.message);
    }
    return messages;
}

TEST(PoolSpecYaml, ReadsEveryKey) {
    const ParsedPools parsed = parse(R"(
node_id: gpu1
pools:
  - id: chat
    engine: llamacpp
    model: /models/qwen3-8b.gguf
    served_name: qwen
    aliases: [gpt-4o-mini]
    kind: embedding
    devices: [0, GPU-1b]
    slots: 2
    ctx: 4096
    replicas: 3
    gpu_layers: 20
    tensor_split: [3, 1.5]
    flags: ["--flash-attn", "on"]
    env: {OMP_NUM_THREADS: 4}
    labels: {tier: fast}
    start_timeout_secs: 60
    on_demand: true
  - id: remote
    engine: openai
    url: http://127.0.0.1:11434
    served_name: llama3
)");
    ASSERT_THAT(parsed.errors, IsEmpty());
    ASSERT_EQ(parsed.pools.size(), 2U);
    PoolSpec chat;
    chat.id = PoolId("chat");
    chat.model = "/models/qwen3-8b.gguf";
    chat.served_name = ServedName("qwen");
    chat.aliases = {"gpt-4o-mini"};
    chat.kind = ModelKind::embedding;
    chat.devices = {"0", "GPU-1b"};
    chat.slots = 2;
    chat.ctx = 4096;
    chat.replicas = 3;
    chat.gpu_layers = 20;
    chat.tensor_split = {3, 1.5};
    chat.flags = {"--flash-attn", "on"};
    chat.env = {{"OMP_NUM_THREADS", "4"}};
    chat.labels = {{"tier", "fast"}};
    chat.start_timeout = std::chrono::seconds(60);
    chat.on_demand = true;
    EXPECT_EQ(parsed.pools[0], chat);
    EXPECT_TRUE(parsed.pools[1].external());
    EXPECT_EQ(parsed.pools[1].engine, EngineFamily::openai);
}

TEST(PoolSpecYaml, FillsInDefaults) {
    const ParsedPools parsed =
        parse("pools:\n- {id: a, model: 'file:/models/x.gguf', devices: [], gpu_layers: all}\n");
    ASSERT_THAT(parsed.errors, IsEmpty());
    EXPECT_EQ(parsed.pools[0].served_name.str(), "x");
    EXPECT_EQ(parsed.pools[0].devices, std::vector<std::string>{});
    EXPECT_EQ(parsed.pools[0].gpu_layers, std::nullopt);
}

TEST(PoolSpecYaml, LeavesFilesWithoutPoolsAlone) {
    EXPECT_THAT(errors(""), IsEmpty());
    EXPECT_THAT(errors("node_id: x\nnode_id: y\n"), IsEmpty());
    EXPECT_THAT(errors("pools: []\n"), IsEmpty());
}

TEST(PoolSpecYaml, NamesFileLineAndKeyOfAnUnknownKey) {
    EXPECT_THAT(
        errors("pools:\n  - id: a\n    model: /models/x.gguf\n    slot: 4\n"),
        ElementsAre("node.yaml:4: pools[0].slot: is no setting of a pool")
    );
}

TEST(PoolSpecYaml, FindsRepeatedKeys) {
    EXPECT_THAT(
        errors("pools:\n  - id: a\n    model: /models/x.gguf\n    slots: 1\n    slots: 2\n"),
        ElementsAre("node.yaml:5: pools[0].slots: is given twice")
    );
    EXPECT_THAT(
        errors("pools:\n- {id: a, model: /models/x.gguf, env: {A: 1, A: 2}}\n"),
        ElementsAre("node.yaml:2: pools[0].env.A: is given twice")
    );
    EXPECT_THAT(
        errors("pools: []\npools: []\n"), ElementsAre("node.yaml:2: pools: is given twice")
    );
}

TEST(PoolSpecYaml, FindsRepeatedIds) {
    EXPECT_THAT(
        errors("pools:\n- {id: a, model: /models/x.gguf}\n- {id: a, model: /models/y.gguf}\n"),
        ElementsAre("node.yaml:3: pools[1].id: another pool has id a")
    );
}

TEST(PoolSpecYaml, FindsMissingFilesButBelievesNamesOfTheStore) {
    EXPECT_THAT(
        errors("pools:\n- id: a\n  model: /nowhere/x.gguf\n- id: b\n  model: qwen3-8b\n"),
        ElementsAre("node.yaml:3: pools[0].model: no file /nowhere/x.gguf")
    );
}

TEST(PoolSpecYaml, RefusesFlagsTheProductSets) {
    EXPECT_THAT(
        errors("pools:\n- id: a\n  model: /models/x.gguf\n  flags:\n  - --port=9\n"),
        ElementsAre("node.yaml:4: pools[0].flags[0]: '--port=9': --port is set by the product")
    );
}

TEST(PoolSpecYaml, ReportsEverythingAtOnce) {
    EXPECT_THAT(
        errors("pools:\n"
               "- id: a b\n"
               "  engine: llamafile\n"
               "  model: /models/x.gguf\n"
               "  slots: many\n"
               "  ctx: -1\n"
               "  flags: --mlock\n"
               "  labels: [x]\n"
               "  kind:\n"
               "- chat\n"),
        ElementsAre(
            "node.yaml:3: pools[0].engine: 'llamafile' is none of llamacpp, vllm, tgi, triton, "
            "openai",
            "node.yaml:5: pools[0].slots: 'many' is no number that fits",
            "node.yaml:6: pools[0].ctx: '-1' is no number that fits",
            "node.yaml:7: pools[0].flags: must be a list",
            "node.yaml:8: pools[0].labels: must be a map of names to texts",
            "node.yaml:9: pools[0].kind: has no value",
            "node.yaml:2: pools[0].id: must match [A-Za-z0-9._-]{1,64}",
            "node.yaml:10: pools[1]: must be a map of settings"
        )
    );
}

TEST(PoolSpecYaml, EveryKeyRefusesAValueOfTheWrongShape) {
    for (const char* key :
         {"id",
          "engine",
          "model",
          "served_name",
          "aliases",
          "kind",
          "devices",
          "slots",
          "ctx",
          "replicas",
          "gpu_layers",
          "tensor_split",
          "flags",
          "env",
          "labels",
          "start_timeout_secs",
          "url"}) {
        const bool wants_map = key == std::string_view("env") || key == std::string_view("labels");
        const char* wrong = wants_map ? "[1]" : "{a: 1}";
        const auto found = errors(fmt::format("pools:\n-\n  {}: {}\n", key, wrong));
        const std::string start = fmt::format("node.yaml:3: pools[0].{}: ", key);
        EXPECT_THAT(found, testing::Contains(testing::StartsWith(start)));
        EXPECT_EQ(
            std::ranges::count_if(
                found, [&](const std::string& error) { return error.starts_with(start); }
            ),
            1
        ) << key
          << " is reported once";
    }
}

TEST(PoolSpecYaml, EveryListRefusesItemsOfTheWrongShape) {
    for (const char* key : {"aliases", "devices", "tensor_split", "flags"}) {
        const std::string text =
            fmt::format("pools:\n- id: a\n  model: /models/x.gguf\n  {}:\n  - {{b: 1}}\n", key);
        EXPECT_THAT(
            errors(text),
            ElementsAre(testing::StartsWith(fmt::format("node.yaml:5: pools[0].{}[0]: ", key)))
        );
    }
}

TEST(PoolSpecYaml, RefusesNumbersThatDoNotFit) {
    for (const char* number : {"4294967296", "1.5", "0x10", "4 ", "''", "1e3", "+1"}) {
        const std::string text =
            fmt::format("pools:\n- {{id: a, model: /models/x.gguf, slots: {}}}\n", number);
        const bool trimmed_by_yaml = std::string_view(number) == "4 ";
        EXPECT_EQ(errors(text).size(), trimmed_by_yaml ? 0U : 1U) << number;
    }
}

TEST(PoolSpecYaml, SurvivesWhatIsNoYaml) {
    EXPECT_THAT(errors("pools: [\n"), testing::SizeIs(1));
    EXPECT_THAT(errors("- a\n- b\n"), ElementsAre("node.yaml:1: must be a map of settings"));
    EXPECT_THAT(errors("pools: 7\n"), ElementsAre("node.yaml:1: pools: must be a list of pools"));
    EXPECT_THAT(errors("pools:\n"), IsEmpty());
}

}  // namespace
}  // namespace orch::node::lifecycle
