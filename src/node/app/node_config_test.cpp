#include "node/app/node_config.hpp"

#include "node/supervisor/scratch_folder.hpp"

#include <gtest/gtest.h>

namespace orch::node::app {
namespace {

struct Read {
    SettingsRead settings;
    NodeConfig config;

    bool complains_of(std::string_view text) const {
        return settings.errors.size() == 1 && settings.errors.front().contains(text);
    }
};

Read read(std::map<std::string, std::string> environment) {
    const SettingsSources sources{{}, std::move(environment)};
    Read all{load_settings(node_settings(), sources), {}};
    all.config = make_node_config(all.settings, sources);
    return all;
}

Read labelled(std::string labels) {
    return read({{"POOL_MANAGERD_LABELS", std::move(labels)}});
}

TEST(NodeConfig, LabelsAreNamesAndValues) {
    const Read all = labelled("zone=a, tier=x=y,empty=");
    EXPECT_TRUE(all.settings.errors.empty());
    const std::map<std::string, std::string> wanted{{"zone", "a"}, {"tier", "x=y"}, {"empty", ""}};
    EXPECT_EQ(all.config.labels, wanted);
    EXPECT_TRUE(read({}).config.labels.empty());
}

TEST(NodeConfig, ALabelThatIsNoneIsNamed) {
    EXPECT_TRUE(labelled("zone").complains_of("POOL_MANAGERD_LABELS: 'zone'"));
    EXPECT_TRUE(labelled("=a").complains_of("'=a'"));
    EXPECT_TRUE(labelled("z one=a").complains_of("'z one=a'"));
    EXPECT_TRUE(labelled("machine_id=a").complains_of("every node has a label 'machine_id'"));
    EXPECT_TRUE(labelled("zone=a,zone=b").complains_of("'zone' is there twice"));
    EXPECT_TRUE(labelled("zone=" + std::string(257, 'x')).complains_of("more than 256 bytes"));
}

struct ModelFolder : supervisor::ScratchFolder {
    ModelFolder() {
        for (const char* name : {"qwen.gguf", "tiny.q4.gguf", "mmproj-qwen.gguf", "readme.txt"}) {
            write(name, "GGUF");
        }
    }

    static Read read_folder(const std::string& path, std::vector<std::string> more = {}) {
        SettingsSources sources;
        sources.arguments = {"--models", path};
        sources.arguments.insert(sources.arguments.end(), more.begin(), more.end());
        Read all{load_settings(node_settings(), sources), {}};
        all.config = make_node_config(all.settings, sources);
        return all;
    }
};

TEST_F(ModelFolder, HasAPoolForEachModelLoadedOnDemand) {
    const Read all = read_folder(folder.string());
    EXPECT_TRUE(all.settings.errors.empty());
    std::vector<std::string> ids;
    for (const lifecycle::PoolSpec& pool : all.config.pools) {
        ids.push_back(pool.id.str());
        EXPECT_TRUE(pool.on_demand);
        EXPECT_TRUE(std::filesystem::exists(pool.model)) << pool.model;
    }
    EXPECT_EQ(ids, (std::vector<std::string>{"qwen", "tiny.q4"}));
}

TEST_F(ModelFolder, StandsBesideOtherPoolsWithOtherNames) {
    const std::string model = (folder / "qwen.gguf").string();
    const Read both = read_folder(folder.string(), {"--model", model});
    EXPECT_TRUE(both.settings.errors.empty());
    EXPECT_EQ(both.config.pools.size(), 3U);
    write("default.gguf", "GGUF");
    EXPECT_TRUE(read_folder(folder.string(), {"--model", model})
                    .complains_of("--models: pool `default` is there twice: --model makes one too")
    );
}

TEST_F(ModelFolder, ThatIsMissingOrEmptyIsNamed) {
    const std::string missing = (folder / "none").string();
    EXPECT_TRUE(read_folder(missing).complains_of("--models: " + missing + ": No such file"));
    std::filesystem::create_directory(missing);
    const Read nothing = read_folder(missing);
    EXPECT_TRUE(nothing.settings.errors.empty());
    ASSERT_EQ(nothing.settings.warnings.size(), 1U);
    EXPECT_TRUE(nothing.settings.warnings.front().ends_with("no GGUF file is in it"));
}

}  // namespace
}  // namespace orch::node::app
