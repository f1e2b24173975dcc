#include "api/catalog_messages.hpp"

#include "api/catalog_availability.hpp"
#include "api/model_messages.hpp"
#include "api/operation.hpp"

#include <gtest/gtest.h>

namespace orch::api {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string message_of(const auto& result) {
    return result ? "accepted" : result.error().message;
}

TEST(CatalogMessages, AnEntryKeepsWhatItWasTold) {
    const auto model = from_json<CatalogModel>(
        R"({"id":"tiny","digest":")" + std::string(64, 'A') +
        R"(","source_url":"http://10.0.0.9/tiny.gguf","tags":["small"],"signed":true,
            "manifests":[{"digest":"sha256:1","size_bytes":7}],"sbom":{"uri":"u","digest":"d"},
            "trust_policy":{"mode":"strict"},"signatures":[{"signer":"me","verified":true}]})"
    );
    ASSERT_TRUE(model) << message_of(model);
    EXPECT_EQ(model->digest, kDigest);
    EXPECT_EQ(model->is_signed, true);
    const auto again = from_json<CatalogModel>(to_json(*model));
    ASSERT_TRUE(again) << message_of(again);
    EXPECT_EQ(to_json(*again), to_json(*model));
    EXPECT_TRUE(to_json(*model).contains(R"("signed":true)"));
    EXPECT_FALSE(to_json(*model).contains("is_signed"));
    EXPECT_EQ(again->manifests.at(0).size_bytes, 7U);
}

TEST(CatalogMessages, AnEntryNamesWhatIsWrong) {
    const auto why = [](std::string_view text) {
        return message_of(from_json<CatalogModel>(text));
    };
    EXPECT_EQ(why("{}"), "id: is missing");
    EXPECT_TRUE(why(R"({"id":"../x"})").starts_with("id: "));
    EXPECT_TRUE(why(R"({"id":"a","digest":"sha256:1"})").starts_with("digest: "));
    EXPECT_TRUE(why(R"({"id":"a","state":"Draft"})").starts_with("state: "));
    EXPECT_TRUE(why(R"({"id":"a","trust_policy":{"mode":"x"}})").starts_with("trust_policy.mode: ")
    );
    EXPECT_TRUE(why(R"({"id":"a","signed":"yes"})").contains("signed"));
    EXPECT_TRUE(why("[]").contains("object"));
}

TEST(CatalogMessages, AListIsReadItemByItem) {
    const auto list = from_json<CatalogModelList>(R"({"models":[{"id":"a"},{"id":"b"}]})");
    ASSERT_TRUE(list) << message_of(list);
    EXPECT_EQ(list->count, 2U);
    EXPECT_EQ(from_json<CatalogModelList>(to_json(*list))->models.at(1).id, "b");
    const auto wrong = from_json<CatalogModelList>(R"({"models":[{"id":"a"},{"tags":[]}]})");
    EXPECT_EQ(message_of(wrong), "models[1].id: is missing");
    EXPECT_EQ(message_of(from_json<CatalogModelList>("{}")), "models: is missing");
    EXPECT_FALSE(from_json<CatalogModelList>("[]"));
    EXPECT_FALSE(from_json<CatalogModelList>(R"({"models":3})"));
}

TEST(CatalogMessages, StrictTrustWantsASignatureAndADigest) {
    CatalogModel model;
    model.id = "tiny";
    EXPECT_EQ(check_trust(model).error().code, Errc::untrusted_artifact);
    model.is_signed = true;
    EXPECT_EQ(check_trust(model).error().code, Errc::untrusted_artifact);
    model.digest = kDigest;
    EXPECT_TRUE(check_trust(model));
    model.is_signed = std::nullopt;
    model.signatures.push_back({.signer = "me", .algo = "x", .verified = true, .timestamp_ms = 0});
    EXPECT_TRUE(check_trust(model));
    model.is_signed = false;
    EXPECT_EQ(check_trust(model).error().code, Errc::untrusted_artifact);
}

TEST(CatalogMessages, StagingWantsNodesOrReplicas) {
    const auto why = [](std::string_view text) {
        return message_of(from_json<StageRequest>(text));
    };
    EXPECT_TRUE(why(R"({"model_ref":"a"})").starts_with("nodes: "));
    EXPECT_TRUE(why(R"({"model_ref":"a","nodes":["n"],"replicas":2})").starts_with("nodes: "));
    EXPECT_TRUE(why(R"({"model_ref":"a","replicas":0})").starts_with("replicas: "));
    EXPECT_TRUE(why(R"({"model_ref":"a","nodes":["n/1"]})").starts_with("nodes[0]: "));
    EXPECT_TRUE(why(R"({"model_ref":"","replicas":1})").starts_with("model_ref: "));
    EXPECT_TRUE(why(R"({"model_ref":"a","replicas":1,"digest":"x"})").starts_with("digest: "));
    const auto request = from_json<StageRequest>(R"({"model_ref":"a","nodes":["n2","n1","n2"]})");
    ASSERT_TRUE(request) << message_of(request);
    EXPECT_EQ(request->nodes, (std::vector{NodeId("n1"), NodeId("n2")}));
    EXPECT_EQ(to_json(*request), R"({"model_ref":"a","nodes":["n1","n2"]})");
}

TEST(CatalogMessages, AStateIsOneOfTwo) {
    EXPECT_TRUE(from_json<ModelStateRequest>(R"({"state":"Retired","deadline_ms":1000})"));
    EXPECT_FALSE(from_json<ModelStateRequest>(R"({"state":"retired"})"));
    EXPECT_FALSE(from_json<ModelStateRequest>(R"({"state":"Active","deadline_ms":-1})"));
}

TEST(ModelMessages, ASourceIsRequired) {
    EXPECT_FALSE(from_json<AddModelRequest>(R"({"id":"a"})"));
    EXPECT_FALSE(from_json<AddModelRequest>(R"({"source":""})"));
    EXPECT_FALSE(from_json<AddModelRequest>(R"({"source":"/a.gguf","id":".."})"));
    EXPECT_FALSE(from_json<AddModelRequest>(R"({"source":"/a.gguf","digest":"1"})"));
    const auto request = from_json<AddModelRequest>(R"({"source":"/a.gguf","peer":true})");
    ASSERT_TRUE(request) << message_of(request);
    EXPECT_TRUE(request->peer);
    EXPECT_FALSE(request->id.has_value());
}

TEST(OperationMessages, SurviveTheWire) {
    Operation operation;
    operation.id = "op-1";
    operation.nodes.resize(1);
    operation.nodes[0].error = "gone";
    const auto again = from_json<Operation>(to_json(operation));
    ASSERT_TRUE(again) << message_of(again);
    EXPECT_EQ(again->nodes.at(0).error, "gone");
    EXPECT_FALSE(again->ended());
    EXPECT_FALSE(from_json<Operation>(R"({"id":"op-1","state":"lost"})"));
    EXPECT_FALSE(from_json<Operation>(R"({"id":"op-1","state":"running","progress":1.5})"));
}

}  // namespace
}  // namespace orch::api
