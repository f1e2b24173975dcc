#include "control/fleet/static_nodes.hpp"

#include <gtest/gtest.h>

namespace orch::control::fleet {
namespace {

const api::HttpAddress kFirst{false, "10.0.0.7", 9200};
const api::HttpAddress kSecond{false, "::1", 9201};

TEST(StaticNodes, AUrlIsThereOnce) {
    StaticNodes nodes;
    EXPECT_TRUE(nodes.add(kFirst, true));
    EXPECT_FALSE(nodes.add(kFirst, false));
    EXPECT_TRUE(nodes.find("http://10.0.0.7:9200")->from_settings) << "the first origin stays";
}

TEST(StaticNodes, OnlyAddedOnesAreToBeSaved) {
    StaticNodes nodes;
    nodes.add(kFirst, true);
    nodes.add(kSecond, false);
    EXPECT_EQ(nodes.added_urls(), std::vector<std::string>{"http://[::1]:9201"});
    EXPECT_EQ(nodes.urls().size(), 2U);
}

TEST(StaticNodes, ANodeIsFoundByTheNameItSaid) {
    StaticNodes nodes;
    nodes.add(kFirst, false);
    EXPECT_NE(nodes.find(NodeId("10.0.0.7-9200")), nullptr) << "before it has said one";
    nodes.named("http://10.0.0.7:9200", NodeId("gpu-1"));
    EXPECT_EQ(nodes.find(NodeId("10.0.0.7-9200")), nullptr);
    EXPECT_EQ(nodes.find(NodeId("gpu-1"))->address, kFirst);
    nodes.remove("http://10.0.0.7:9200");
    EXPECT_EQ(nodes.find(NodeId("gpu-1")), nullptr);
}

TEST(StaticNodes, APlaceholderIsAValidId) {
    EXPECT_EQ(placeholder_id(kFirst).str(), "10.0.0.7-9200");
    EXPECT_EQ(placeholder_id(kSecond).str(), "--1-9201");
    const NodeId longest = placeholder_id({false, std::string(200, 'h'), 65535});
    EXPECT_TRUE(valid_id(longest.str())) << longest.str();
    EXPECT_TRUE(longest.str().ends_with("-65535"));
}

}  // namespace
}  // namespace orch::control::fleet
