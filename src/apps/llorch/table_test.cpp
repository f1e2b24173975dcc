#include "apps/llorch/table.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

Table two_rows() {
    Table table;
    table.columns = {{"NODE"}, {"SLOTS", Align::right}, {"MODEL", Align::left, true}, {"X"}};
    table.rows.push_back({{{"n1"}, {"1/4"}, {"a-model-with-a-long-name"}, {""}}, {}});
    table.rows.push_back({{{"node-two"}, {"10/12"}, {"b"}, {"x"}}, {}});
    return table;
}

TEST(Table, AlignsColumnsAndEndsLinesWithoutBlanks) {
    EXPECT_EQ(
        render(two_rows(), {}),
        "NODE      SLOTS  MODEL                     X\n"
        "n1          1/4  a-model-with-a-long-name\n"
        "node-two  10/12  b                         x\n"
    );
}

TEST(Table, ClipsTheColumnsThatMayShrinkToFitTheTerminal) {
    EXPECT_EQ(
        render(two_rows(), {.width = 31}),
        "NODE      SLOTS  MODEL        X\n"
        "n1          1/4  a-model-wi\u2026\n"
        "node-two  10/12  b            x\n"
    );
}

TEST(Table, NeverClipsOtherColumns) {
    EXPECT_EQ(
        render(two_rows(), {.width = 5}),
        "NODE      SLOTS  MODEL     X\n"
        "n1          1/4  a-model\u2026\n"
        "node-two  10/12  b         x\n"
    );
}

TEST(Table, CountsCharactersInsteadOfBytes) {
    Table table;
    table.columns = {{"A"}, {"B"}};
    table.rows.push_back({{{"\u00e9\u00e9"}, {"x"}}, {}});
    table.rows.push_back({{{"ee"}, {"y"}}, {}});
    EXPECT_EQ(render(table, {}), "A   B\n\u00e9\u00e9  x\nee  y\n");
}

TEST(Table, ColoursTextWithoutMovingColumns) {
    Table table;
    table.columns = {{"A"}, {"B"}};
    table.rows.push_back({{{"ok", Tone::good}, {"x"}}, {}});
    table.rows.push_back({{{"down", Tone::bad}, {"y"}}, {}});
    EXPECT_EQ(
        render(table, {.colour = true}), "A     B\n\x1b[32mok\x1b[0m    x\n\x1b[31mdown\x1b[0m  y\n"
    );
}

TEST(Table, WrapsNotesUnderTheirRow) {
    Table table;
    table.columns = {{"A"}};
    table.rows.push_back({{{"x"}}, {"error: the model", "  | does not fit"}});
    EXPECT_EQ(render(table, {}), "A\nx\n    error: the model\n      | does not fit\n");
    EXPECT_EQ(
        render(table, {.width = 16}),
        "A\nx\n    error: the\n    model\n      | does not\n      fit\n"
    );
}

}  // namespace
}  // namespace orch::llorch
