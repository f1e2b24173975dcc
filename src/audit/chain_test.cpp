#include "audit/chain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orch::audit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const WallTime kWhen{std::chrono::milliseconds(1'790'000'000'123)};

Event event(std::string name) {
    return {std::move(name), "token:ab12cd", "c-1", "success", {{"node", "gpu \"7\"\n"}}};
}

// `count` chained lines.
std::vector<std::string> lines(int count) {
    std::vector<std::string> made;
    std::string hash = first_hash();
    for (int i = 0; i < count; ++i) {
        Line line = make_line(event("e" + std::to_string(i)), kWhen, hash);
        hash = line.hash;
        made.push_back(std::move(line.text));
    }
    return made;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) {
        text += part;
    }
    return text;
}

Chain check(const std::vector<std::string>& parts) {
    Chain chain;
    chain.add_file("f", joined(parts));
    return chain;
}

TEST(AuditRecord, IsOneLineOfJsonWithAllKeys) {
    const Line line = make_line(event("node_registered"), kWhen, first_hash());
    EXPECT_THAT(
        line.text,
        testing::StartsWith(
            R"({"ts":"2026-09-21T14:13:20.123Z","event":"node_registered",)"
            R"("identity":"token:ab12cd","correlation_id":"c-1","outcome":"success",)"
            R"("details":{"node":"gpu \"7\"\n"},"prev_hash":"0000)"
        )
    );
    EXPECT_EQ(line.text.find('\n'), line.text.size() - 1);
    const auto links = read_links(std::string_view(line.text).substr(0, line.text.size() - 1));
    ASSERT_TRUE(links);
    EXPECT_EQ(links->hash, line.hash);
    EXPECT_EQ(links->prev_hash, first_hash());
}

TEST(AuditChain, IsSoundAsWritten) {
    const Chain chain = check(lines(3));
    EXPECT_TRUE(chain.sound());
    EXPECT_EQ(chain.records(), 3U);
    EXPECT_THAT(chain.notes(), IsEmpty());
}

TEST(AuditChain, ContinuesInTheNextFile) {
    const auto all = lines(4);
    Chain chain;
    chain.add_file("a", all[0] + all[1]);
    chain.add_file("b", all[2] + all[3]);
    EXPECT_TRUE(chain.sound());
    EXPECT_EQ(chain.records(), 4U);
}

TEST(AuditChain, ShowsALineThatWasChanged) {
    auto all = lines(3);
    all[1].replace(all[1].find("ab12cd"), 6, "ffffff");
    EXPECT_THAT(
        check(all).errors(), ElementsAre(HasSubstr("f:2: it was changed"), HasSubstr("f:3:"))
    );
}

TEST(AuditChain, ShowsALineThatWasRemovedMovedOrPutIn) {
    const auto all = lines(4);
    EXPECT_THAT(
        check({all[0], all[2], all[3]}).errors(), ElementsAre(HasSubstr("f:2: it does not"))
    );
    EXPECT_FALSE(check({all[0], all[2], all[1], all[3]}).sound());
    const Line forged = make_line(event("forged"), kWhen, first_hash());
    EXPECT_FALSE(check({all[0], forged.text, all[1]}).sound());
}

TEST(AuditChain, ShowsALineThatIsNoRecord) {
    const auto all = lines(2);
    EXPECT_THAT(
        check({all[0], "hello\n", all[1]}).errors(), ElementsAre(HasSubstr("f:2: it is no audit"))
    );
}

TEST(AuditChain, NotesATornLastLineAndABeginningThatIsNotHere) {
    auto all = lines(3);
    all[2].resize(20);
    const Chain torn = check(all);
    EXPECT_TRUE(torn.sound());
    EXPECT_THAT(torn.notes(), ElementsAre(HasSubstr("f:3: the last line is incomplete")));
    const auto whole = lines(3);
    const Chain tail = check({whole[1], whole[2]});
    EXPECT_TRUE(tail.sound());
    EXPECT_THAT(tail.notes(), ElementsAre(HasSubstr("f:1: the chain begins in an older file")));
}

}  // namespace
}  // namespace orch::audit
