#include "node/lifecycle/pool_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace orch::node::lifecycle {
namespace {

using testing::ElementsAre;

PoolSpec good() {
    PoolSpec spec;
    spec.id = PoolId("chat");
    spec.model = "/models/qwen3-8b.gguf";
    return with_defaults(spec);
}

std::vector<std::string> keys_of_problems(const PoolSpec& spec) {
    std::vector<std::string> keys;
    for (const SpecProblem& problem : check_pool_spec(spec)) {
        EXPECT_FALSE(problem.message.empty());
        keys.push_back(problem.key);
    }
    return keys;
}

TEST(PoolSpec, AcceptsAModelFileAlone) {
    EXPECT_THAT(keys_of_problems(good()), ElementsAre());
    EXPECT_EQ(good().served_name.str(), "qwen3-8b");
    EXPECT_EQ(good().slots, 4U);
    EXPECT_EQ(good().start_timeout, std::chrono::seconds(600));
}

TEST(PoolSpec, KeepsAServedNameThatWasGiven) {
    PoolSpec spec = good();
    spec.served_name = ServedName("qwen/qwen3:8b");
    EXPECT_EQ(with_defaults(spec).served_name.str(), "qwen/qwen3:8b");
    EXPECT_THAT(keys_of_problems(spec), ElementsAre());
}

TEST(PoolSpec, NamesAnIdThatIsNone) {
    PoolSpec spec = good();
    for (const char* id : {"", "a b", "a/b", "ä"}) {
        spec.id = PoolId(id);
        EXPECT_THAT(keys_of_problems(spec), ElementsAre("id")) << id;
    }
}

TEST(PoolSpec, RefusesNamesClientsCannotSend) {
    PoolSpec spec = good();
    spec.served_name = ServedName("a,b");
    spec.aliases = {"gpt-4o", "line\nbreak", "gpt-4o"};
    EXPECT_THAT(keys_of_problems(spec), ElementsAre("served_name", "aliases[1]", "aliases[2]"));
    spec = good();
    spec.served_name = ServedName("grüße");
    EXPECT_THAT(keys_of_problems(spec), ElementsAre());
}

TEST(PoolSpec, ChecksRanges) {
    PoolSpec spec = good();
    spec.slots = 0;
    spec.replicas = 1000;
    spec.ctx = 0;
    spec.start_timeout = std::chrono::hours(25);
    EXPECT_THAT(
        keys_of_problems(spec), ElementsAre("slots", "replicas", "ctx", "start_timeout_secs")
    );
}

TEST(PoolSpec, NeedsAModelUnlessTheEngineRunsElsewhere) {
    PoolSpec spec;
    spec.id = PoolId("chat");
    EXPECT_THAT(keys_of_problems(spec), ElementsAre("model"));
    spec.url = "http://127.0.0.1:11434";
    EXPECT_THAT(keys_of_problems(spec), ElementsAre("served_name"));
    spec.served_name = ServedName("llama3");
    EXPECT_THAT(keys_of_problems(spec), ElementsAre());
}

TEST(PoolSpec, StartsOnlyEnginesItKnowsHowToStart) {
    PoolSpec spec = good();
    spec.engine = EngineFamily::vllm;
    EXPECT_THAT(keys_of_problems(spec), ElementsAre("url"));
    spec.url = "http://127.0.0.1:8000";
    EXPECT_THAT(keys_of_problems(spec), ElementsAre());
}

TEST(PoolSpec, RefusesStartSettingsBesideAUrl) {
    PoolSpec spec = good();
    spec.url = "http://127.0.0.1:8000";
    spec.devices.emplace();
    spec.replicas = 2;
    spec.gpu_layers = 10;
    spec.tensor_split = {};
    spec.flags = {"--mlock"};
    spec.env = {{"A", "b"}};
    EXPECT_THAT(
        keys_of_problems(spec), ElementsAre("devices", "replicas", "gpu_layers", "flags", "env")
    );
}

TEST(PoolSpec, RefusesUrlsThatNameNoServer) {
    PoolSpec spec = good();
    for (const char* url :
         {"", "127.0.0.1:80", "ftp://h:1", "http://", "http://h:99999", "http://h/path"}) {
        spec.url = url;
        EXPECT_THAT(keys_of_problems(spec), ElementsAre("url")) << url;
    }
}

TEST(PoolSpec, AcceptsIndicesAndUuidsAsDevices) {
    PoolSpec spec = good();
    spec.devices = {"0", "GPU-8f6a2b1c-0000-0000-0000-000000000000"};
    spec.tensor_split = {3, 1};
    EXPECT_THAT(keys_of_problems(spec), ElementsAre());
    spec.devices = {"0", "0", "cuda0", ""};
    EXPECT_THAT(
        keys_of_problems(spec),
        ElementsAre("devices[1]", "devices[2]", "devices[3]", "tensor_split")
    );
}

TEST(PoolSpec, RefusesSharesThatAreNone) {
    PoolSpec spec = good();
    spec.tensor_split = {1, -1};
    EXPECT_THAT(keys_of_problems(spec), ElementsAre("tensor_split"));
}

TEST(PoolSpec, RefusesFlagsTheProductSets) {
    PoolSpec spec = good();
    for (const char* flag :
         {"-m",
          "--model",
          "-a",
          "--alias",
          "--host",
          "--port",
          "-np",
          "--parallel",
          "-c",
          "--ctx-size",
          "-ngl",
          "--gpu-layers",
          "--n-gpu-layers",
          "-ts",
          "--tensor-split",
          "--api-key",
          "--metrics",
          "--slots",
          "--no-slots",
          "--props",
          "--port=1",
          "-c=9",
          "--ctx-size 4096"}) {
        spec.flags = {"--flash-attn", "on", flag};
        EXPECT_THAT(keys_of_problems(spec), ElementsAre("flags[2]")) << flag;
    }
    spec.flags = {"--flash-attn", "on", "--cache-ram", "0", "-cb", "--port-offset"};
    EXPECT_THAT(keys_of_problems(spec), ElementsAre());
}

TEST(PoolSpec, RefusesVariablesThatConfigureTheEngineBehindOurBack) {
    PoolSpec spec = good();
    spec.env = {
        {"LLAMA_API_KEY", "x"}, {"LLAMA_ARG_N_PARALLEL", "7"}, {"1A", ""}, {"OMP_NUM_THREADS", "4"}
    };
    EXPECT_THAT(
        keys_of_problems(spec),
        ElementsAre("env.1A", "env.LLAMA_API_KEY", "env.LLAMA_ARG_N_PARALLEL")
    );
}

TEST(PoolSpec, RefusesTwoAnswersToWhichDevices) {
    PoolSpec spec = good();
    spec.env = {{"CUDA_VISIBLE_DEVICES", "1"}};
    EXPECT_THAT(keys_of_problems(spec), ElementsAre());
    spec.devices = {"0"};
    EXPECT_THAT(keys_of_problems(spec), ElementsAre("env.CUDA_VISIBLE_DEVICES"));
}

TEST(ModelFile, TellsFilesFromNamesOfTheStore) {
    EXPECT_EQ(model_file("/m/a.gguf"), "/m/a.gguf");
    EXPECT_EQ(model_file("m/a.gguf"), "m/a.gguf");
    EXPECT_EQ(model_file("./blob"), "./blob");
    EXPECT_EQ(model_file("file:/m/a.gguf"), "/m/a.gguf");
    EXPECT_EQ(model_file("file:///m/a.gguf"), "/m/a.gguf");
    EXPECT_EQ(model_file("file://localhost/m/a.gguf"), "/m/a.gguf");
    EXPECT_EQ(model_file("file://"), "");
    EXPECT_EQ(model_file("qwen3-8b"), std::nullopt);
    EXPECT_EQ(model_file("hf:org/repo"), std::nullopt);
}

TEST(SingleModelPool, IsCalledDefault) {
    const PoolSpec spec = single_model_pool("/m/tiny.f16.gguf");
    EXPECT_EQ(spec.id.str(), "default");
    EXPECT_EQ(spec.served_name.str(), "tiny.f16");
    EXPECT_FALSE(spec.on_demand);
    EXPECT_THAT(keys_of_problems(spec), ElementsAre());
}

TEST(DirectoryPools, MakesAPoolOfEachModel) {
    const auto pools = directory_pools(
        "/m",
        {"b.gguf",
         "a b.gguf",
         "a-b.gguf",
         "readme.md",
         "big-00001-of-00002.gguf",
         "big-00002-of-00002.gguf",
         "mmproj-b.gguf",
         ".gguf"}
    );
    std::vector<std::string> ids;
    for (const PoolSpec& pool : pools) {
        EXPECT_THAT(keys_of_problems(pool), ElementsAre());
        EXPECT_TRUE(pool.on_demand);
        ids.push_back(pool.id.str());
    }
    EXPECT_THAT(ids, ElementsAre("a-b", "a-b-2", "b", "big-00001-of-00002"));
    EXPECT_EQ(pools[0].model, "/m/a b.gguf");
    EXPECT_EQ(pools[0].served_name.str(), "a b");
}

TEST(DirectoryPools, KeepsIdsWithinTheirLimit) {
    const std::string longest(100, 'x');
    const auto pools = directory_pools("/m/", {longest + "1.gguf", longest + "2.gguf"});
    ASSERT_EQ(pools.size(), 2U);
    EXPECT_EQ(pools[0].id.str(), std::string(64, 'x'));
    EXPECT_EQ(pools[1].id.str(), std::string(62, 'x') + "-2");
    EXPECT_EQ(pools[1].model, "/m/" + longest + "2.gguf");
}

}  // namespace
}  // namespace orch::node::lifecycle
