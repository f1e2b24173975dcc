#include "control/placement/label_spread.hpp"

#include "control/placement/placement_fixture.hpp"

namespace orch::control::placement {
namespace {

const PlacementPolicy kByZone{.strategy = Strategy::automatic, .spread_by = "zone"};

class LabelSpread : public testing::Test {
protected:
    void add(const char* node, const char* zone, std::uint32_t claimed) {
        NodeBlock& block = cluster_.add(pool(key(node, "p"), "m", claimed));
        if (*zone != '\0') {
            block.labels = {{"zone", zone}};
        }
    }

    Names ranked(const PlacementPolicy& policy) const {
        return ranking(cluster_, asking("m"), ChoiceLedger(), policy);
    }

    Cluster cluster_;
};

TEST_F(LabelSpread, PrefersTheValueWithTheLeastLoad) {
    add("a", "x", 0);
    add("b", "x", 3);
    add("c", "y", 1);
    EXPECT_EQ(ranked({}), (Names{"a/p", "c/p", "b/p"}));
    EXPECT_EQ(ranked(kByZone), (Names{"c/p", "a/p", "b/p"})) << "3 of 8 against 1 of 4";
}

TEST_F(LabelSpread, KeepsTheStrategyWithinAValue) {
    add("a", "x", 2);
    add("b", "x", 1);
    add("c", "y", 3);
    add("d", "y", 0);
    EXPECT_EQ(ranked(kByZone), (Names{"d/p", "b/p", "a/p", "c/p"})) << "both are at 3 of 8";
}

TEST_F(LabelSpread, CountsPoolsWithoutTheLabelAsOneValue) {
    add("a", "", 1);
    add("b", "", 1);
    add("c", "y", 0);
    add("d", "y", 3);
    EXPECT_EQ(ranked(kByZone), (Names{"a/p", "b/p", "c/p", "d/p"})) << "2 of 8 against 3 of 8";
}

TEST_F(LabelSpread, LooksOnlyAtPoolsThatMayServe) {
    add("a", "x", 1);
    add("b", "y", 2);
    cluster_.add(pool(key("c", "p"), "other", 4)).labels = {{"zone", "x"}};
    cluster_.add(pool(key("d", "p"), "m", 4)).status = NodeStatus::offline;
    EXPECT_EQ(ranked(kByZone), (Names{"a/p", "b/p"}));
}

TEST_F(LabelSpread, SpreadsOverMachinesWithoutAnyLabel) {
    cluster_.add(pool(key("a", "p"), "m", 0)).machine_id = MachineId("box-1");
    cluster_.add(pool(key("b", "p"), "m", 2)).machine_id = MachineId("box-1");
    cluster_.add(pool(key("c", "p"), "m", 0)).machine_id = MachineId("box-2");
    EXPECT_EQ(
        ranked({.strategy = Strategy::automatic, .spread_by = "machine_id"}),
        (Names{"c/p", "a/p", "b/p"})
    );
}

TEST_F(LabelSpread, StandsBeforeEveryStrategyAndAfterASession) {
    add("a", "x", 3);
    add("b", "y", 1);
    for (const std::string& name : strategy_names()) {
        const PlacementPolicy policy{.strategy = *strategy_from(name), .spread_by = "zone"};
        EXPECT_EQ(ranked(policy).front(), "b/p") << name;
    }
    PlacementRequest request = asking("m");
    int at_home = 0;
    for (int i = 0; i < 50; ++i) {
        request.session = "s" + std::to_string(i);
        at_home += ranking(cluster_, request, ChoiceLedger(), kByZone).front() == "a/p" ? 1 : 0;
    }
    EXPECT_GT(at_home, 5);
}

TEST_F(LabelSpread, LaysAModelsWorkOverZonesOfUnequalSize) {
    std::vector<PoolBlock> blocks;
    for (const char* node : {"a", "b", "c", "d"}) {
        blocks.push_back(pool(key(node, "p"), "m"));
        cluster_.add(blocks.back()).labels = {{"zone", *node == 'd' ? "y" : "x"}};
    }
    ChoiceLedger ledger;
    for (int i = 0; i < 8; ++i) {
        const std::string first = ranking(cluster_, asking("m"), ledger, kByZone).front();
        for (const PoolBlock& each : blocks) {
            if (each.key.node.str() + "/p" == first) {
                ASSERT_TRUE(each.cell->try_claim());
                ledger.chosen(*each.cell);
            }
        }
    }
    EXPECT_EQ(blocks[3].cell->claimed(), 2U) << "a quarter of the slots, a quarter of the work";
}

}  // namespace
}  // namespace orch::control::placement
