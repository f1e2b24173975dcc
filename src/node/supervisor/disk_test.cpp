#include "node/supervisor/model_facts.hpp"
#include "node/supervisor/record_folder.hpp"
#include "node/supervisor/scratch_folder.hpp"

#include <gtest/gtest.h>

namespace orch::node::supervisor {
namespace {

using RecordFolderTest = ScratchFolder;
using ModelFactsTest = ScratchFolder;

TEST_F(RecordFolderTest, GivesBackWhatWasSavedAndNotRemoved) {
    const RecordFolder records(folder / "state" / "run");
    ASSERT_TRUE(records.prepare().has_value());
    ASSERT_TRUE(records.save("b.json", "{\"b\":1}").has_value());
    ASSERT_TRUE(records.save("a.json", "{}").has_value());
    ASSERT_TRUE(records.save("a.json", "{\"a\":2}").has_value());
    ASSERT_TRUE(records.save("c.json", "{}").has_value());
    records.remove("c.json");
    write("state/run/notes.txt", "no record");
    const auto all = records.load_all();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].name, "a.json");
    EXPECT_EQ(all[0].text, "{\"a\":2}");
    EXPECT_EQ(all[1].text, "{\"b\":1}");
}

TEST_F(RecordFolderTest, AFolderThatIsNotThereHoldsNothing) {
    EXPECT_TRUE(RecordFolder(folder / "absent").load_all().empty());
}

TEST_F(RecordFolderTest, AFileInItsPlaceIsAnError) {
    write("taken", "");
    const auto made = RecordFolder(folder / "taken" / "run").prepare();
    ASSERT_FALSE(made.has_value());
    EXPECT_NE(made.error().message.find("taken"), std::string::npos);
}

TEST_F(ModelFactsTest, FindsAModelByPathAndByName) {
    const std::string file = write("tiny.gguf", "no model at all");
    for (const std::string& model : {file, "file:" + file, std::string("tiny")}) {
        const auto facts = load_model_facts(model, folder);
        ASSERT_TRUE(facts.has_value()) << model << ": " << facts.error().message;
        EXPECT_EQ(facts->path, file);
        EXPECT_FALSE(facts->header.context_length.has_value());
    }
}

TEST_F(ModelFactsTest, AMissingModelIsNamed) {
    for (const char* const model : {"/nowhere/tiny.gguf", "tiny"}) {
        const auto facts = load_model_facts(model, folder);
        ASSERT_FALSE(facts.has_value());
        EXPECT_EQ(facts.error().code, Errc::not_found);
        EXPECT_NE(facts.error().message.find(model), std::string::npos);
    }
}

TEST_F(ModelFactsTest, ReadsWhatTheModelWasTrainedFor) {
    // GGUF version 3, no tensors, two keys: the architecture and its context length.
    std::string bytes("GGUF\x03\0\0\0", 8);
    const auto number = [&bytes](std::uint64_t value, int width) {
        for (int i = 0; i < width; ++i) {
            bytes += static_cast<char>(value >> (8 * i) & 0xFF);
        }
    };
    const auto text = [&](const std::string& value) {
        number(value.size(), 8);
        bytes += value;
    };
    number(0, 8);
    number(2, 8);
    text("general.architecture");
    number(8, 4);
    text("llama");
    text("llama.context_length");
    number(4, 4);
    number(2048, 4);
    const auto facts = load_model_facts(write("tiny.gguf", bytes), folder);
    ASSERT_TRUE(facts.has_value());
    EXPECT_EQ(facts->header.context_length, 2048U);
}

TEST_F(ModelFactsTest, ASplitModelIsAsLargeAsAllItsParts) {
    const std::string first = write("big-00001-of-00003.gguf", std::string(10, 'x'));
    write("big-00002-of-00003.gguf", std::string(20, 'x'));
    EXPECT_EQ(load_model_facts(first, folder)->bytes, 30U) << "of the parts that are there";
    write("big-00003-of-00003.gguf", std::string(30, 'x'));
    EXPECT_EQ(load_model_facts(first, folder)->bytes, 60U);
    EXPECT_EQ(load_model_facts("big-00001-of-00003", folder)->bytes, 60U);
}

}  // namespace
}  // namespace orch::node::supervisor
