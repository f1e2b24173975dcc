#include "control/gateway/cluster_fixture.hpp"
#include "control/gateway/dispatcher.hpp"

#include <gtest/gtest.h>

#include <map>

namespace orch::control::gateway {
namespace {

using namespace std::chrono_literals;
using admission::Priority;
using admission::TicketId;

constexpr Instant kStart{std::chrono::hours(1)};

// One pool with one slot.
struct DispatcherAdmit : testing::Test {
    DispatcherAdmit() { dispatcher.set_view(view_of({node_block("a", {block})}), kStart); }

    Result<TicketId> admit(Priority priority = Priority::interactive, std::string model = "qwen") {
        Bid bid;
        bid.request.model = std::move(model);
        bid.priority = priority;
        return dispatcher.admit(std::move(bid), kStart, [this](Result<Grant> grant) {
            grants += grant ? 1 : 0;
            failures += grant ? 0 : 1;
        });
    }

    placement::PlacementRequest request(std::string model = "qwen") const {
        placement::PlacementRequest request;
        request.model = std::move(model);
        return request;
    }

    std::shared_ptr<LoadCell> cell = std::make_shared<LoadCell>(1U);
    view::PoolBlock block = pool_block(key_of("a"), {"qwen", "gpt"}, cell);
    std::map<Priority, std::size_t> depths;
    std::map<Priority, int> admitted;
    int grants = 0;
    int failures = 0;
    Dispatcher dispatcher{
        {.capacity = 2, .queue_timeout = 60s},
        {},
        [this](const std::string&, Priority priority, std::size_t depth) {
            depths[priority] = depth;
        },
        [this](std::string_view name, Priority priority) {
            EXPECT_EQ(name, "qwen");
            ++admitted[priority];
        }
    };
};

TEST_F(DispatcherAdmit, AFreeSlotIsGrantedAtOnce) {
    const auto ticket = admit();
    ASSERT_TRUE(ticket);
    EXPECT_EQ(grants, 1);
    EXPECT_EQ(cell->claimed(), 1U);
    EXPECT_EQ(dispatcher.waiting(), 0U);
    EXPECT_EQ(dispatcher.standing(*ticket, kStart), std::nullopt);
    EXPECT_EQ(admitted[Priority::interactive], 1);
}

TEST_F(DispatcherAdmit, NobodyOvertakesTheQueue) {
    admit();
    const auto first = admit(Priority::batch, "gpt");
    const auto second = admit();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(dispatcher.standing(*first, kStart)->ahead, 0U);
    EXPECT_EQ(dispatcher.standing(*second, kStart)->ahead, 1U);
    EXPECT_EQ(depths[Priority::batch], 1U);
    EXPECT_EQ(depths[Priority::interactive], 1U);
    ASSERT_TRUE(cell->release());
    dispatcher.slot_freed(block.key, kStart);
    EXPECT_EQ(grants, 2);
    EXPECT_EQ(dispatcher.standing(*first, kStart), std::nullopt);
    EXPECT_EQ(dispatcher.standing(*second, kStart)->ahead, 0U);
    EXPECT_EQ(depths[Priority::batch], 0U);
    EXPECT_EQ(admitted[Priority::batch], 1);
    EXPECT_EQ(admitted[Priority::interactive], 2);
}

TEST_F(DispatcherAdmit, WhatCannotBeServedIsRefusedAndForgotten) {
    EXPECT_EQ(admit(Priority::interactive, "nope").error().code, Errc::model_not_found);
    admit();
    admit();
    admit();
    const auto full = admit();
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, Errc::admission_reject);
    EXPECT_EQ(dispatcher.waiting(), 2U);
    EXPECT_EQ(failures, 0) << "who is refused is not called back";
    dispatcher.close();
    EXPECT_EQ(admit().error().code, Errc::pool_unavailable);
}

TEST_F(DispatcherAdmit, AStandingTellsWhenASlotMayCome) {
    admit();
    const auto waiting = admit();
    EXPECT_EQ(dispatcher.standing(*waiting, kStart)->start_in, std::nullopt);
    cell->note_service(4s);
    EXPECT_EQ(dispatcher.standing(*waiting, kStart)->start_in, 4s);
}

TEST_F(DispatcherAdmit, APreviewClaimsNothing) {
    const Outlook free = dispatcher.preview(request(), kStart);
    EXPECT_TRUE(free.slot_free);
    EXPECT_EQ(free.decision.considered.size(), 1U);
    EXPECT_EQ(cell->claimed(), 0U);
    admit();
    admit();
    cell->note_service(2s);
    const Outlook busy = dispatcher.preview(request(), kStart);
    EXPECT_FALSE(busy.slot_free);
    EXPECT_FALSE(busy.refused);
    EXPECT_EQ(busy.standing.ahead, 1U);
    EXPECT_EQ(busy.standing.start_in, 4s);
    admit();
    EXPECT_EQ(dispatcher.preview(request(), kStart).refused->code, Errc::admission_reject);
    EXPECT_TRUE(dispatcher.preview(request("nope"), kStart).decision.rejection);
}

}  // namespace
}  // namespace orch::control::gateway
