#include "node/app/node_config.hpp"

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

}  // namespace
}  // namespace orch::node::app
