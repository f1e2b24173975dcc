#include "node/app/node_config.hpp"

#include "node/supervisor/scratch_folder.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace orch::node::app {
namespace {

struct Read {
    SettingsRead settings;
    NodeConfig config;

    bool complains_of(std::string_view text) const {
        return settings.errors.size() == 1 && settings.errors.front().contains(text);
    }
};

Read read_config(
    std::map<std::string, std::string> environment, std::vector<std::string> arguments = {}
) {
    const SettingsSources sources{std::move(arguments), std::move(environment)};
    Read all{load_settings(node_settings(), sources), {}};
    all.config = make_node_config(all.settings, sources);
    return all;
}

Read labelled(std::string labels) {
    return read_config({{"POOL_MANAGERD_LABELS", std::move(labels)}});
}

TEST(NodeConfig, LabelsAreNamesAndValues) {
    const Read all = labelled("zone=a, tier=x=y,empty=");
    EXPECT_TRUE(all.settings.errors.empty());
    const std::map<std::string, std::string> wanted{{"zone", "a"}, {"tier", "x=y"}, {"empty", ""}};
    EXPECT_EQ(all.config.labels, wanted);
    EXPECT_TRUE(read_config({}).config.labels.empty());
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
    std::vector<std::string> arguments() const { return {"--models", folder.string()}; }
};

TEST_F(ModelFolder, EachModelIsAPoolThatStartsOnDemand) {
    write("b.gguf", "a model");
    write("a.gguf", "a model");
    write("readme.md", "a model");
    std::filesystem::create_directory(folder / "c.gguf");
    const Read all = read_config({}, arguments());
    EXPECT_TRUE(all.settings.errors.empty());
    EXPECT_TRUE(all.settings.warnings.empty());
    ASSERT_EQ(all.config.pools.size(), 2U);
    EXPECT_EQ(all.config.pools[0].id.str(), "a");
    EXPECT_EQ(all.config.pools[1].model, (folder / "b.gguf").string());
    EXPECT_TRUE(all.config.pools[1].on_demand);
}

TEST_F(ModelFolder, AnEmptyOneIsDoubtfulAndAMissingOneAnError) {
    const Read empty = read_config({}, arguments());
    EXPECT_TRUE(empty.settings.errors.empty());
    ASSERT_EQ(empty.settings.warnings.size(), 1U);
    EXPECT_TRUE(empty.settings.warnings[0].contains("no GGUF file"));
    const std::string absent = (folder / "absent").string();
    EXPECT_TRUE(read_config({}, {"--models", absent}).complains_of("--models: " + absent));
}

TEST_F(ModelFolder, APoolThatIsThereAlreadyIsNamed) {
    const std::string file = write("default.gguf", "a model");
    auto both = arguments();
    both.insert(both.end(), {"--model", file});
    EXPECT_TRUE(read_config({}, both).complains_of(
        "--models: pool `default` is there twice: --model makes one too"
    ));
}

TEST_F(ModelFolder, MoreModelsThanANodeHasPoolsAreRefused) {
    for (int i = 0; i < 257; ++i) {
        write(std::to_string(i) + ".gguf", "a model");
    }
    EXPECT_TRUE(
        read_config({}, arguments()).complains_of("257 models; a node has at most 256 pools")
    );
}

}  // namespace
}  // namespace orch::node::app
