#include "apps/llorch/token_rotation.hpp"

#include "auth/tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kOld = "old-token-0123456789";
constexpr const char* kNew = "new-token-0123456789";
const std::string kFile = "# ours\nold-token-0123456789\n";

std::string step(RotationStep which, const std::string& content) {
    const auto rotated = plan_rotation(which, content, "/t", kNew);
    return rotated ? rotated->content : "refused: " + rotated.error().text;
}

auth::Tokens read(const std::string& content) {
    return *auth::parse_token_file(content, "/t");
}

// At every step each machine accepts what a machine that is one step behind or ahead sends.
TEST(TokenRotation, NeighbouringStepsUnderstandEachOther) {
    std::vector<std::string> files{kFile};
    for (const RotationStep which :
         {RotationStep::add, RotationStep::send_new, RotationStep::drop_old}) {
        files.push_back(step(which, files.back()));
    }
    for (std::size_t i = 0; i + 1 < files.size(); ++i) {
        const auth::Tokens before = read(files[i]);
        const auth::Tokens after = read(files[i + 1]);
        EXPECT_TRUE(after.accepted.match(before.outbound.reveal()) || i + 2 == files.size()) << i;
        EXPECT_TRUE(before.accepted.match(after.outbound.reveal())) << i;
    }
    // The last step meets machines that send the new token already.
    EXPECT_EQ(read(files[2]).outbound.reveal(), kNew);
    EXPECT_THAT(read(files[3]).accepted.fingerprints(), ElementsAre(auth::fp6(kNew)));
}

TEST(TokenRotation, KeepsOtherLinesAndEndsWithoutAMark) {
    std::string content = kFile;
    for (const RotationStep which :
         {RotationStep::add, RotationStep::send_new, RotationStep::drop_old}) {
        content = step(which, content);
    }
    EXPECT_EQ(content, "# ours\nnew-token-0123456789\n");
}

TEST(TokenRotation, RefusesAStepThatIsNotDueAndNamesTheOneThatIs) {
    EXPECT_THAT(step(RotationStep::send_new, kFile), HasSubstr("refused: /t: no new token"));
    EXPECT_THAT(step(RotationStep::drop_old, kFile), HasSubstr("refused: /t: no old token"));
    EXPECT_THAT(step(RotationStep::add, "# none\n"), HasSubstr("there is no token in it"));
    const std::string added = step(RotationStep::add, kFile);
    EXPECT_THAT(
        step(RotationStep::add, added),
        HasSubstr("the next step is: llorch token rotate --file /t --send-new")
    );
    EXPECT_THAT(step(RotationStep::drop_old, added), HasSubstr("refused"));
    const std::string sent = step(RotationStep::send_new, added);
    EXPECT_THAT(step(RotationStep::add, sent), HasSubstr("--drop-old"));
    EXPECT_THAT(step(RotationStep::send_new, sent), HasSubstr("refused"));
}

TEST(TokenRotation, NamesTokensByTheirFingerprintOnly) {
    const auto rotated = plan_rotation(RotationStep::add, kFile, "/t", kNew);
    ASSERT_TRUE(rotated);
    EXPECT_THAT(rotated->text, AllOf(HasSubstr(auth::fp6(kNew)), HasSubstr(auth::fp6(kOld))));
    EXPECT_THAT(rotated->text, AllOf(Not(HasSubstr(kNew)), Not(HasSubstr(kOld))));
}

}  // namespace
}  // namespace orch::llorch
