#include "node/lifecycle/engine_flags.hpp"

#include <gtest/gtest.h>

namespace orch::node::lifecycle {
namespace {

TEST(ReservedFlag, NamesTheLongForm) {
    EXPECT_EQ(reserved_flag("-m"), "--model");
    EXPECT_EQ(reserved_flag("-np=3"), "--parallel");
    EXPECT_EQ(reserved_flag("--gpu-layers"), "--n-gpu-layers");
    EXPECT_EQ(reserved_flag("--no-slots"), "--slots");
    EXPECT_EQ(reserved_flag("--api-key-file=/x"), "--api-key-file");
}

TEST(ReservedFlag, LeavesOtherFlagsAndValuesAlone) {
    for (const char* free :
         {"", "-", "--", "-mg", "-cb", "--model-url", "--portable", "m", "4096"}) {
        EXPECT_EQ(reserved_flag(free), std::nullopt) << free;
    }
}

TEST(ReservedVariable, SaysWhatToDoInstead) {
    EXPECT_NE(reserved_variable("LLAMA_ARG_CTX_SIZE")->find("flag"), std::string::npos);
    EXPECT_NE(reserved_variable("LLAMA_API_KEY")->find("loopback"), std::string::npos);
    EXPECT_EQ(reserved_variable("LLAMA_CACHE"), std::nullopt);
    EXPECT_EQ(reserved_variable("CUDA_VISIBLE_DEVICES"), std::nullopt);
}

TEST(ScrubbedVariable, KeepsWhatEnginesNeed) {
    for (const char* kept :
         {"PATH",
          "HOME",
          "LANG",
          "LD_LIBRARY_PATH",
          "CUDA_VISIBLE_DEVICES",
          "OMP_NUM_THREADS",
          "LLAMA_CACHE",
          "GGML_CUDA_ENABLE_UNIFIED_MEMORY",
          "HF_TOKEN"}) {
        EXPECT_FALSE(scrubbed_variable(kept)) << kept;
    }
}

TEST(SteersEngines, KnowsWhatAnEngineActsOn) {
    for (const char* steering : {"CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "OMP_NUM_THREADS"}) {
        EXPECT_TRUE(steers_engines(steering)) << steering;
    }
    for (const char* other : {"INVOCATION_ID", "JOURNAL_STREAM", "SHLVL", "PWD", "HOME", "PATH"}) {
        EXPECT_FALSE(steers_engines(other)) << other;
    }
}

TEST(ScrubbedVariable, TakesSecretsAndHandshakes) {
    for (const char* scrubbed :
         {"LLAMA_ARG_MODEL",
          "LLAMA_API_KEY",
          "LLORCH_API_TOKEN",
          "POOL_MANAGERD_NODE_ID",
          "ORCHESTRATORD_URL",
          "AUTH_TOKEN",
          "LISTEN_PID",
          "LISTEN_FDNAMES",
          "WATCHDOG_PID",
          "NOTIFY_SOCKET"}) {
        EXPECT_TRUE(scrubbed_variable(scrubbed)) << scrubbed;
    }
}

}  // namespace
}  // namespace orch::node::lifecycle
