#include "apps/llorch/models_view.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

api::ModelList two_models() {
    api::ModelList list;
    list.data.resize(2);
    list.data[0].id = "qwen3-8b";
    list.data[0].llorch = {2, 1, 8192};
    list.data[1].id = "tiny";
    return list;
}

api::PoolList pools() {
    api::PoolInfo pool;
    pool.served_name = "qwen3-8b";
    pool.models_available = {"qwen3-8b", "gpt-4o-mini", "qwen"};
    return api::make_list({pool, pool});
}

TEST(ModelsView, ShowsAModelARowWithItsOtherNames) {
    EXPECT_EQ(
        models_text(two_models(), pools(), {}),
        "MODEL     READY POOLS  NODES   CTX  ALIASES\n"
        "qwen3-8b            2      1  8192  gpt-4o-mini, qwen\n"
        "tiny                0      0     -  -\n"
    );
}

TEST(ModelsView, LeavesAliasesOutWhenPoolsAreNotShown) {
    EXPECT_EQ(
        models_text(two_models(), std::nullopt, {}),
        "MODEL     READY POOLS  NODES   CTX\n"
        "qwen3-8b            2      1  8192\n"
        "tiny                0      0     -\n"
    );
}

TEST(ModelsView, SaysThatThereIsNone) {
    EXPECT_EQ(models_text({}, std::nullopt, {}), "No online node serves a model.\n");
}

}  // namespace
}  // namespace orch::llorch
