#include "control/fleet/fleet_state.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace orch::control::fleet {
namespace {

struct FleetStateTest : testing::Test {
    std::filesystem::path folder =
        std::filesystem::path(testing::TempDir()) / ("fleet-state-" + std::to_string(getpid()));
    std::string path = fleet_state_path(folder.string());

    FleetStateTest() { std::filesystem::create_directories(folder); }

    ~FleetStateTest() override { std::filesystem::remove_all(folder); }

    Result<FleetState> load_text(std::string_view text) const {
        std::ofstream(path) << text;
        return load_fleet_state(path);
    }
};

TEST_F(FleetStateTest, NothingSavedIsNothingSaid) {
    const auto state = load_fleet_state(path);
    ASSERT_TRUE(state);
    EXPECT_TRUE(state->static_nodes.empty());
    EXPECT_TRUE(state->cordoned.empty());
}

TEST_F(FleetStateTest, WhatIsSavedIsFoundAgain) {
    FleetState state;
    state.static_nodes = {"http://10.0.0.7:9200"};
    state.cordoned = {NodeId("gpu-1")};
    state.approved = {NodeId("gpu-2")};
    ASSERT_TRUE(save_fleet_state(path, state));
    const auto found = load_fleet_state(path);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->static_nodes, state.static_nodes);
    EXPECT_EQ(found->cordoned, state.cordoned);
    EXPECT_EQ(found->approved, state.approved);
    EXPECT_EQ(
        std::filesystem::status(path).permissions() & std::filesystem::perms::others_all,
        std::filesystem::perms::none
    );
}

TEST_F(FleetStateTest, ACorruptFileIsNamed) {
    for (const char* text :
         {"",
          "{",
          "[]",
          R"({"version":2})",
          R"({"static_nodes":["ftp://x"]})",
          R"({"static_nodes":"http://x"})",
          R"({"cordoned":["a b"]})"}) {
        const auto state = load_text(text);
        ASSERT_FALSE(state) << text;
        EXPECT_EQ(state.error().code, Errc::internal) << text;
        EXPECT_TRUE(state.error().message.starts_with(path + ": ")) << state.error().message;
    }
}

TEST_F(FleetStateTest, AFolderThatIsGoneIsNamed) {
    std::filesystem::remove_all(folder);
    const auto saved = save_fleet_state(path, {});
    ASSERT_FALSE(saved);
    EXPECT_TRUE(saved.error().message.contains(folder.string())) << saved.error().message;
}

}  // namespace
}  // namespace orch::control::fleet
