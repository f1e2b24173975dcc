#include "node/models/model_folder.hpp"

#include "node/models/file_hash.hpp"
#include "node/models/partial_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace orch::node::models {
namespace {

namespace fs = std::filesystem;

struct ModelFolderTest : testing::Test {
    fs::path root;

    ModelFolderTest() {
        std::string name = (fs::temp_directory_path() / "orch-models-XXXXXX").string();
        root = mkdtemp(name.data());
    }

    ~ModelFolderTest() override { fs::remove_all(root); }

    fs::path write(const std::string& name, const std::string& text) const {
        std::ofstream(root / name, std::ios::binary) << text;
        return root / name;
    }
};

TEST_F(ModelFolderTest, ListsRegularGgufFilesAndBlobsOnly) {
    const ModelFolder folder(root);
    ASSERT_TRUE(folder.prepare(NodeId("n1"), Ownership::of_state_dir));
    write("tiny.gguf", "GGUF1");
    write("notes.txt", "no model");
    write(".hidden.gguf", "GGUF");
    write("blobs/sha256-1", "GGUF12");
    fs::create_directory(root / "folder.gguf");
    fs::create_symlink("/etc/passwd", root / "link.gguf");
    const FolderListing list = folder.list();
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list.at("tiny.gguf").bytes, 5U);
    EXPECT_EQ(list.at("blobs/sha256-1").bytes, 6U);
}

TEST_F(ModelFolderTest, FollowsNoLinksOfItsOwn) {
    const ModelFolder folder(root);
    fs::create_symlink("/etc/passwd", root / "link.gguf");
    EXPECT_FALSE(folder.open("link.gguf"));
    EXPECT_TRUE(open_regular(root / "link.gguf", true)) << "a source may be a link";
    EXPECT_EQ(open_regular(root, true).error().code, Errc::invalid_params);
    EXPECT_EQ(folder.open("absent.gguf").error().code, Errc::not_found);
}

TEST_F(ModelFolderTest, ASharedFolderHasOneOwner) {
    const ModelFolder folder(root);
    EXPECT_EQ(folder.prepare(NodeId("n1"), Ownership::marked), NodeId("n1"));
    EXPECT_EQ(folder.prepare(NodeId("n2"), Ownership::marked), NodeId("n1"));
    EXPECT_EQ(folder.prepare(NodeId("n1"), Ownership::marked), NodeId("n1"));
    fs::remove(root / "owner.json");
    EXPECT_EQ(folder.prepare(NodeId("n2"), Ownership::marked), NodeId("n2"));
}

TEST_F(ModelFolderTest, OnlyTheOwnerEmptiesWhatWasBegun) {
    const ModelFolder folder(root);
    ASSERT_TRUE(folder.prepare(NodeId("n1"), Ownership::marked));
    write("partial/op-1", "GG");
    ASSERT_TRUE(folder.prepare(NodeId("n2"), Ownership::marked));
    EXPECT_TRUE(fs::exists(root / "partial/op-1"));
    ASSERT_TRUE(folder.prepare(NodeId("n1"), Ownership::marked));
    EXPECT_FALSE(fs::exists(root / "partial/op-1"));
}

TEST_F(ModelFolderTest, AnOldIndexDoesNotReplaceANewerOne) {
    ModelFolder folder(root);
    EXPECT_EQ(folder.load_index()->size(), 0U);
    ModelIndex index;
    ModelRecord record;
    record.id = "tiny";
    record.file = "tiny.gguf";
    index.put(record);
    ASSERT_TRUE(folder.save_index(index.text(), 2));
    ASSERT_TRUE(folder.save_index(ModelIndex().text(), 1));
    EXPECT_EQ(folder.load_index()->size(), 1U);
}

TEST_F(ModelFolderTest, ACorruptIndexIsNamed) {
    write("index.json", "{\"version\":1,\"models\":[{]}");
    const auto index = ModelFolder(root).load_index();
    ASSERT_FALSE(index);
    EXPECT_TRUE(index.error().message.contains((root / "index.json").string()));
}

TEST_F(ModelFolderTest, AFileIsHashedPieceByPiece) {
    std::string text(FileHash::kPiece + 5, 'x');
    FileHash hash(*open_regular(write("large", text), true));
    EXPECT_EQ(hash.step(), false);
    EXPECT_EQ(hash.done(), FileHash::kPiece);
    EXPECT_EQ(hash.step(), true);
    EXPECT_EQ(hash.digest(), "sha256:" + sha256_hex(text));
}

TEST_F(ModelFolderTest, APartialFileBecomesABlobOrNothing) {
    const ModelFolder folder(root);
    ASSERT_TRUE(folder.prepare(NodeId("n1"), Ownership::of_state_dir));
    {
        const auto left = PartialFile::create(folder, "op-1");
        ASSERT_TRUE((*left)->append("GGUF"));
    }
    EXPECT_TRUE(fs::is_empty(root / "partial"));
    const auto file = PartialFile::create(folder, "op-2");
    ASSERT_TRUE((*file)->append("nope").error().message.contains("GGUF"));
    ASSERT_TRUE((*file)->restart());
    ASSERT_TRUE((*file)->append("GG"));
    ASSERT_TRUE((*file)->append("UF and more"));
    const std::string digest = (*file)->digest();
    EXPECT_EQ(digest, "sha256:" + sha256_hex("GGUF and more"));
    EXPECT_EQ((*file)->put_in_place(digest), blob_name(digest));
    EXPECT_EQ(folder.list().at(blob_name(digest)).bytes, 13U);
    EXPECT_TRUE(fs::is_empty(root / "partial"));
}

TEST_F(ModelFolderTest, TooShortAFileIsNoModel) {
    const ModelFolder folder(root);
    ASSERT_TRUE(folder.prepare(NodeId("n1"), Ownership::of_state_dir));
    const auto file = PartialFile::create(folder, "op-1");
    ASSERT_TRUE((*file)->append("GG"));
    EXPECT_FALSE((*file)->put_in_place((*file)->digest()));
}

}  // namespace
}  // namespace orch::node::models
