#include "node/lifecycle/engine_exit.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

EngineExit with_log(std::string log) {
    return {.code = 1, .log_tail = std::move(log)};
}

TEST(EngineExit, ReadsTheReasonFromTheLog) {
    EXPECT_EQ(
        classify_exit(with_log("main: couldn't bind HTTP server socket, hostname: 127.0.0.1")),
        ExitReason::port_lost
    );
    EXPECT_EQ(
        classify_exit(with_log("CUDA error: out of memory\nllama: error loading model\n")),
        ExitReason::out_of_memory
    );
    EXPECT_EQ(
        classify_exit(with_log("CUDA error: an illegal memory access\n")), ExitReason::cuda_error
    );
    EXPECT_EQ(
        classify_exit(with_log("error: failed to open model '/m/a.gguf': no such file")),
        ExitReason::model_error
    );
    EXPECT_EQ(classify_exit(with_log("bye")), ExitReason::ended);
    EXPECT_EQ(classify_exit({.signal = 9}), ExitReason::killed);
}

TEST(EngineExit, QuotesTheTellingLine) {
    EXPECT_EQ(
        describe_exit(with_log("a\n  CUDA error: launch failed \r\nstack 1\nstack 2\n")),
        "exit code 1 (cuda_error): CUDA error: launch failed"
    );
    EXPECT_EQ(describe_exit(with_log("first\nlast words\n\n")), "exit code 1: last words");
}

TEST(EngineExit, SaysAtLeastHowItEnded) {
    EXPECT_EQ(describe_exit({.code = 3}), "exit code 3");
    EXPECT_EQ(describe_exit({.signal = 6}), "signal 6");
    EXPECT_EQ(describe_exit({.known = false}), "ended");
}

TEST(EngineExit, CutsEndlessLinesAndCleansBytesThatAreNoText) {
    EXPECT_LT(describe_exit(with_log(std::string(100'000, 'x'))).size(), 400U);
    EXPECT_EQ(describe_exit(with_log("a\xFF")), "exit code 1: a\xEF\xBF\xBD");
    std::string umlauts;
    for (int i = 0; i < 1000; ++i) {
        umlauts += "ä";
    }
    EXPECT_EQ(describe_exit(with_log("x" + umlauts)).find("\xEF\xBF\xBD"), std::string::npos);
}

}  // namespace
}  // namespace orch::node::lifecycle
