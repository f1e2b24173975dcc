#include "gguf/split_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::gguf {
namespace {

using testing::ElementsAre;

TEST(FilesOfModel, AFirstPartHasTheOthersBesideIt) {
    EXPECT_THAT(
        files_of_model("/m/big-00001-of-00003.gguf"),
        ElementsAre(
            "/m/big-00001-of-00003.gguf", "/m/big-00002-of-00003.gguf", "/m/big-00003-of-00003.gguf"
        )
    );
    EXPECT_EQ(files_of_model("-00001-of-00012.gguf").back(), "-00012-of-00012.gguf");
}

TEST(FilesOfModel, AnyOtherFileStandsForItself) {
    for (const char* const path :
         {"",
          "/m/a.gguf",
          "/m/a-00001-of-00001.gguf",
          "/m/a-00002-of-00003.gguf",
          "/m/a-00001-of-0000x.gguf",
          "/m/a-00001-of-00000.gguf",
          "/m/a-00001-of-00003.bin",
          "/m/00001-of-00003.gguf"}) {
        EXPECT_THAT(files_of_model(path), ElementsAre(path)) << path;
    }
}

}  // namespace
}  // namespace orch::gguf
