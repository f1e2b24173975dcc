#include "base/load_cell_rows.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace orch {
namespace {

TEST(LoadCellRows, MakesCellsOfTheirOwnSideBySide) {
    LoadCellRows rows;
    std::vector<std::shared_ptr<LoadCell>> cells;
    std::set<const LoadCell*> different;
    for (int i = 0; i < 200; ++i) {
        cells.push_back(rows.make());
        different.insert(cells.back().get());
        EXPECT_EQ(cells.back()->capacity(), 0U);
    }
    EXPECT_EQ(different.size(), cells.size());
    EXPECT_EQ(cells[1].get(), cells[0].get() + 1);
}

TEST(LoadCellRows, ACellOutlivesItsMakerAndItsNeighbours) {
    std::shared_ptr<LoadCell> last;
    {
        LoadCellRows rows;
        const auto neighbour = rows.make();
        last = rows.make();
    }
    last->set_capacity(1);
    EXPECT_TRUE(last->try_claim());
}

}  // namespace
}  // namespace orch
