#include "node/lifecycle/start_digest.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

constexpr FileStamp kProgram{1000, 5};
constexpr FileStamp kModel{7000, 6};

EngineCommand command() {
    return {
        .argv = {"llama-server", "--model", "a", "--port", "31337"},
        .environment = {{"CUDA_VISIBLE_DEVICES", "0"}, {"SHLVL", "1"}},
        .steering = {{"CUDA_VISIBLE_DEVICES", "0"}}
    };
}

TEST(StartDigest, IsTheSameForTheSameStart) {
    EngineCommand later = command();
    later.environment["SHLVL"] = "2";
    EXPECT_EQ(digest_start(later, kProgram, kModel), digest_start(command(), kProgram, kModel));
    EXPECT_EQ(digest_start(command(), kProgram, kModel).size(), 64U);
}

TEST(StartDigest, TellsCommandLinesApart) {
    const auto of = [](std::vector<std::string> argv) {
        return digest_start({std::move(argv), {}, {}}, {}, {});
    };
    EXPECT_NE(of({"a", "bc"}), of({"ab", "c"}));
    EXPECT_NE(of({"a"}), of({"a", ""}));
    EXPECT_NE(of({"a", "b"}), digest_start({{}, {}, {{"a", "b"}}}, {}, {}));
}

TEST(StartDigest, TellsFilesAndVariablesApart) {
    const std::string before = digest_start(command(), kProgram, kModel);
    EXPECT_NE(digest_start(command(), FileStamp{1000, 8}, kModel), before) << "a new llama-server";
    EXPECT_NE(digest_start(command(), kProgram, FileStamp{7001, 6}), before) << "a new model file";
    EngineCommand elsewhere = command();
    elsewhere.steering["CUDA_VISIBLE_DEVICES"] = "1";
    EXPECT_NE(digest_start(elsewhere, kProgram, kModel), before);
}

}  // namespace
}  // namespace orch::node::lifecycle
