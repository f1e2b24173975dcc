#include "control/tasks/event_journal.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace orch::control::tasks {
namespace {

constexpr Bytes kAll = kMiB;

std::string event(int number) {
    return fmt::format("id: {0}\nevent: token\ndata: {{\"i\":{0}}}\n\n", number);
}

void fill(EventJournal& journal, int count) {
    for (int i = 1; i <= count; ++i) {
        journal.append("token", fmt::format(R"({{"i":{}}})", i));
    }
}

TEST(EventJournal, NumbersEventsFromOne) {
    EventJournal journal(kMiB);
    EXPECT_EQ(journal.last(), 0U);
    fill(journal, 2);
    const auto page = journal.read(0, false, kAll);
    EXPECT_EQ(page.bytes, event(1) + event(2));
    EXPECT_EQ(page.last, 2U);
    EXPECT_EQ(journal.last(), 2U);
}

TEST(EventJournal, GoesOnBehindAnyNumber) {
    EventJournal journal(kMiB);
    fill(journal, 5);
    EXPECT_EQ(journal.read(3, false, kAll).bytes, event(4) + event(5));
    EXPECT_EQ(journal.read(5, false, kAll).bytes, "");
    EXPECT_EQ(journal.read(5, false, kAll).last, 5U);
    EXPECT_EQ(journal.read(99, false, kAll).bytes, "");
}

TEST(EventJournal, APageIsBoundedAndTheNextOneFollows) {
    EventJournal journal(kMiB);
    fill(journal, 10);
    std::string all;
    std::uint64_t after = 0;
    int pages = 0;
    while (after < journal.last()) {
        const auto page = journal.read(after, false, 50);
        all += page.bytes;
        after = page.last;
        ++pages;
    }
    EXPECT_EQ(all, journal.read(0, false, kAll).bytes);
    EXPECT_EQ(pages, 5);
}

TEST(EventJournal, OldEventsGoAndTheirReadersAreTold) {
    EventJournal journal(1000);
    fill(journal, 100);
    EXPECT_GT(journal.first(), 1U);
    EXPECT_EQ(journal.last(), 100U);
    EXPECT_LE(journal.bytes(), 1000U);
    const auto gone = journal.read(0, false, kAll);
    EXPECT_TRUE(gone.gone);
    EXPECT_TRUE(gone.bytes.empty());
    const auto kept = journal.read(journal.first() - 1, false, kAll);
    EXPECT_FALSE(kept.gone);
    EXPECT_TRUE(kept.bytes.starts_with(fmt::format("id: {}\n", journal.first())));
}

TEST(EventJournal, TheLastEventStays) {
    EventJournal journal(1);
    journal.append("end", std::string(5000, 'x'));
    EXPECT_EQ(journal.first(), 1U);
    journal.append("end", "{}");
    EXPECT_EQ(journal.first(), 2U);
    EXPECT_EQ(journal.read(1, false, kAll).bytes, "id: 2\nevent: end\ndata: {}\n\n");
}

TEST(EventJournal, VerboseEventsHaveNumbersThatOthersSkip) {
    EventJournal journal(kMiB);
    journal.append("started", "{}");
    journal.append("metrics", R"({"human":"x"})", true);
    journal.append("end", "{}");
    const auto plain = journal.read(0, false, kAll);
    EXPECT_EQ(plain.bytes, "id: 1\nevent: started\ndata: {}\n\nid: 3\nevent: end\ndata: {}\n\n");
    EXPECT_TRUE(journal.read(0, true, kAll).bytes.contains("id: 2\n"));
    EXPECT_EQ(plain.last, 3U);
}

}  // namespace
}  // namespace orch::control::tasks
