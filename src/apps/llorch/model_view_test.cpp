#include "apps/llorch/model_view.hpp"

#include "apps/llorch/command_line.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

api::CatalogModel model_on(std::vector<std::string> states) {
    api::CatalogModel model;
    model.id = "tiny";
    for (std::string& state : states) {
        const NodeId node("n" + std::to_string(model.nodes.size() + 1));
        model.nodes.push_back({node, std::move(state), kDigest, 3 * kMiB});
    }
    return model;
}

TEST(ModelView, ListsModelsWithTheirReadyCopies) {
    api::CatalogModel loose = model_on({"ready"});
    loose.id = "loose";
    loose.registered = false;
    const auto list = api::make_list({loose, model_on({"ready", "corrupt"})});
    EXPECT_EQ(
        catalog_text(list, {}),
        "MODEL  STATE      SIZE  READY COPIES  SHA256        ENTRY\n"
        "loose  Active  3.0 MiB           1/1  aaaaaaaaaaaa  no\n"
        "tiny   Active  3.0 MiB           1/2  aaaaaaaaaaaa  yes\n"
    );
    EXPECT_TRUE(catalog_text({}, {}).contains("empty"));
}

TEST(ModelView, ShowsAModelWithItsWholeDigestAndItsCopies) {
    const std::string text = catalog_model_text(model_on({"ready"}), {});
    EXPECT_TRUE(text.contains("digest: " + kDigest)) << text;
    EXPECT_TRUE(text.contains("n1    ready  3.0 MiB  aaaaaaaaaaaa")) << text;
    EXPECT_TRUE(catalog_model_text(model_on({}), {}).contains("no online node has it"));
}

TEST(ModelView, ShowsOnHowManyNodesAModelIs) {
    api::CatalogAvailability seen;
    seen.models = {{"tiny", {NodeId("n1"), NodeId("n2")}, 2, 8}};
    EXPECT_EQ(
        availability_text(seen, {}), "MODEL  NODES  SLOTS  ON\ntiny       2      8  n1, n2\n"
    );
    EXPECT_EQ(availability_text({}, {}), "No node has a model.\n");
}

TEST(ModelView, AnOperationNamesTheErrorOfEachNode) {
    api::Operation operation;
    operation.id = "op-1";
    operation.kind = "model.stage";
    operation.target = "tiny";
    operation.state = "failed";
    operation.nodes.resize(1);
    operation.nodes[0].node_id = "n1";
    operation.nodes[0].state = "failed";
    operation.nodes[0].error = "the disk is full";
    const std::string text = operation_text(operation, {});
    EXPECT_TRUE(text.starts_with("model.stage tiny: failed (op-1)\n")) << text;
    EXPECT_TRUE(text.contains("the disk is full"));
}

TEST(ModelView, ProgressIsOneLine) {
    api::Operation operation;
    operation.kind = "model.stage";
    operation.target = "tiny";
    operation.progress = 0.42;
    operation.bytes_done = 42 * kMiB;
    operation.bytes_total = 100 * kMiB;
    EXPECT_EQ(progress_text(operation), "model.stage tiny: 42% (42.0 MiB of 100.0 MiB)");
    operation.bytes_total = 0;
    EXPECT_TRUE(progress_text(operation).ends_with("of ?)"));
}

TEST(ModelView, SizesHaveOneUnit) {
    EXPECT_EQ(size_text(850), "850 B");
    EXPECT_EQ(size_text(1536), "1.5 KiB");
    EXPECT_EQ(size_text(5 * kGiB), "5.0 GiB");
}

TEST(ModelCommandLine, StageTakesNodesOrReplicas) {
    const auto line = parse_command_line({"model", "stage", "/m/tiny.gguf", "--nodes", "a,b"});
    ASSERT_TRUE(line.has_value());
    EXPECT_EQ(line->command, Command::model);
    EXPECT_EQ(line->model.action, ModelAction::stage);
    EXPECT_EQ(line->model.nodes, (std::vector<std::string>{"a", "b"}));
    const auto both =
        parse_command_line({"model", "stage", "tiny", "--nodes", "a", "--replicas", "2"});
    ASSERT_FALSE(both.has_value());
    EXPECT_EQ(both.error().code, ExitCode::usage);
    EXPECT_FALSE(parse_command_line({"model"}).has_value());
    EXPECT_FALSE(parse_command_line({"model", "stage"}).has_value());
    EXPECT_EQ(
        parse_command_line({"model", "rm", "tiny", "--json"})->model.action, ModelAction::remove
    );
}

}  // namespace
}  // namespace orch::llorch
