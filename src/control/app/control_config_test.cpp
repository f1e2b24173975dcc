#include "control/app/control_config.hpp"

#include <gtest/gtest.h>

namespace orch::control::app {
namespace {

using Environment = std::map<std::string, std::string>;

struct Read {
    SettingsRead settings;
    ControlConfig config;
};

Read read(const Environment& environment, const std::vector<std::string>& arguments = {}) {
    const SettingsSources sources{arguments, environment};
    Read all{load_settings(control_settings(), sources), {}};
    all.config = make_control_config(all.settings, sources);
    return all;
}

TEST(ControlConfig, WithoutStaticNodesHomeRunsItsOwn) {
    const Read home = read({});
    EXPECT_TRUE(home.settings.errors.empty());
    EXPECT_TRUE(runs_home_node(home.config));
    EXPECT_EQ(home.config.poll_interval, std::chrono::seconds(5));
    EXPECT_FALSE(runs_home_node(read({{"ORCHESTRATORD_CLOUD_PROFILE", "true"},
                                      {"LLORCH_API_TOKEN", "0123456789abcdef"}})
                                    .config));
}

TEST(ControlConfig, APoolManagerElsewhereIsPolledAndNoNodeRunsHere) {
    const Read home = read({{"POOL_MANAGERD_URL", "http://127.0.0.1:9200"}});
    EXPECT_TRUE(home.settings.errors.empty());
    EXPECT_EQ(home.config.profile.profile, Profile::home);
    EXPECT_FALSE(runs_home_node(home.config));
    EXPECT_EQ(
        home.config.static_nodes, (std::vector<api::HttpAddress>{{false, "127.0.0.1", 9200}})
    );
}

TEST(ControlConfig, AListNamesMoreOfThem) {
    const Read home = read(
        {{"POOL_MANAGERD_URL", "http://127.0.0.1:9200"}},
        {"--pool-managers", "http://10.0.0.7:9200,http://10.0.0.8:9200"}
    );
    EXPECT_TRUE(home.settings.errors.empty());
    EXPECT_EQ(home.config.static_nodes.size(), 3U);
}

TEST(ControlConfig, AStaticNodeMayBeReachedOverTls) {
    const Read read_over_tls = read({{"POOL_MANAGERD_URL", "https://gpu-1:9200"}});
    EXPECT_TRUE(read_over_tls.settings.errors.empty());
    EXPECT_EQ(read_over_tls.config.static_nodes.size(), 1U);
}

TEST(ControlConfig, AUrlThatIsNoBaseUrlIsNamed) {
    for (const auto& [name, url] :
         {std::pair("POOL_MANAGERD_URL", "http://127.0.0.1:9200/v2"),
          std::pair("POOL_MANAGERD_URL", "gpu-1:9200"),
          std::pair("ORCHD_POOL_MANAGERS", "http://a,ftp://b")}) {
        const Read bad = read({{name, url}});
        ASSERT_EQ(bad.settings.errors.size(), 1U) << url;
        EXPECT_TRUE(bad.settings.errors.front().starts_with(name)) << bad.settings.errors.front();
    }
}

TEST(ControlConfig, AModelForANodeThatDoesNotRunHereIsRefused) {
    const Read bad =
        read({{"POOL_MANAGERD_URL", "http://127.0.0.1:9200"}}, {"--model", "/models/m.gguf"});
    ASSERT_EQ(bad.settings.errors.size(), 1U);
    EXPECT_TRUE(bad.settings.errors.front().starts_with("model: "));
    EXPECT_TRUE(bad.settings.errors.front().contains("POOL_MANAGERD_URL"));
}

TEST(ControlConfig, ThePollIntervalIsBetweenTenMillisecondsAndADay) {
    EXPECT_EQ(
        read({{"ORCHESTRATORD_POOL_POLL_INTERVAL_MS", "250"}}).config.poll_interval,
        std::chrono::milliseconds(250)
    );
    EXPECT_EQ(
        read({{"ORCHESTRATORD_POOL_POLL_INTERVAL_SECS", "2"}}).config.poll_interval,
        std::chrono::seconds(2)
    );
    EXPECT_FALSE(read({{"ORCHESTRATORD_POOL_POLL_INTERVAL_MS", "5"}}).settings.errors.empty());
}

}  // namespace
}  // namespace orch::control::app
