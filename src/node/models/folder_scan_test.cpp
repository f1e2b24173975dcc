#include "node/models/folder_scan.hpp"

#include <gtest/gtest.h>

namespace orch::node::models {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

ModelRecord record(std::string id, std::string file, FileFacts facts) {
    ModelRecord out;
    out.id = std::move(id);
    out.file = std::move(file);
    out.bytes = facts.bytes;
    out.mtime_ns = facts.mtime_ns;
    out.digest = kDigest;
    return out;
}

TEST(FolderScan, FindsAFileThatDidNotChangeBetweenTwoLooks) {
    const FolderListing now{{"tiny.gguf", {7, 1}}};
    EXPECT_TRUE(reconcile({}, {}, now).found.empty()) << "it may still be copied";
    EXPECT_TRUE(reconcile({}, {{"tiny.gguf", {6, 1}}}, now).found.empty());
    const auto changes = reconcile({}, now, now);
    ASSERT_EQ(changes.found.size(), 1U);
    EXPECT_EQ(changes.found[0].id, "tiny");
    EXPECT_EQ(changes.found[0].file, "tiny.gguf");
    EXPECT_EQ(changes.found[0].state, api::kModelVerifying);
}

TEST(FolderScan, AKnownFileIsNoNewsUntilItChanges) {
    ModelIndex index;
    index.put(record("tiny", "tiny.gguf", {7, 1}));
    const FolderListing same{{"tiny.gguf", {7, 1}}};
    EXPECT_TRUE(reconcile(index, same, same).found.empty());
    const FolderListing changed{{"tiny.gguf", {7, 2}}};
    ASSERT_EQ(reconcile(index, changed, changed).found.size(), 1U);
    EXPECT_FALSE(reconcile(index, changed, changed).found[0].digest.has_value());
}

TEST(FolderScan, WhatWasNotReadToItsEndIsReadAgain) {
    ModelIndex index;
    ModelRecord unread = record("tiny", "tiny.gguf", {7, 1});
    unread.digest = std::nullopt;
    unread.state = api::kModelVerifying;
    index.put(unread);
    const FolderListing same{{"tiny.gguf", {7, 1}}};
    EXPECT_EQ(reconcile(index, same, same).found.size(), 1U);
}

TEST(FolderScan, TellsWhatIsGone) {
    ModelIndex index;
    index.put(record("tiny", "tiny.gguf", {7, 1}));
    index.put(record("large", blob_name(kDigest), {7, 1}));
    EXPECT_EQ(reconcile(index, {}, {}).gone, (std::vector<std::string>{"large", "tiny"}));
}

TEST(FolderScan, ANameThatIsTakenOrMakesNoIdIsTold) {
    ModelIndex index;
    index.put(record("tiny", blob_name(kDigest), {7, 1}));
    const FolderListing now{
        {blob_name(kDigest), {7, 1}}, {"tiny.gguf", {7, 1}}, {"..gguf", {7, 1}}
    };
    EXPECT_EQ(
        reconcile(index, now, now).unnamed, (std::vector<std::string>{"..gguf", "tiny.gguf"})
    );
}

TEST(FolderScan, ABlobOfNoModelIsAnOrphan) {
    const FolderListing now{{"blobs/sha256-1", {7, 1}}};
    EXPECT_EQ(reconcile({}, now, now).orphans, std::vector<std::string>{"blobs/sha256-1"});
    EXPECT_TRUE(reconcile({}, {}, now).orphans.empty());
}

}  // namespace
}  // namespace orch::node::models
