#include "control/gateway/attempt_fsm.hpp"

#include <gtest/gtest.h>

namespace orch::control::gateway {
namespace {

using Event = AttemptEvent::Kind;
using Action = AttemptAction::Kind;

PoolKey pool(const char* node) {
    return {NodeId(node), PoolId("chat")};
}

Error died() {
    return {Errc::worker_reset, "the engine died", {}};
}

AttemptEvent event(Event kind) {
    return {.kind = kind};
}

AttemptEvent at(Event kind, const char* node) {
    return {.kind = kind, .pool = pool(node)};
}

AttemptEvent with(Event kind, Error error) {
    return {.kind = kind, .error = std::move(error)};
}

// Brings a machine to the point where the request is on its way to `node`.
void send_to(AttemptFsm& fsm, const char* node) {
    EXPECT_EQ(fsm.resume(at(Event::placed, node)).kind, Action::send);
}

AttemptFsm started(AttemptLimits limits = {}) {
    AttemptFsm fsm(limits);
    EXPECT_EQ(fsm.resume(event(Event::start)).kind, Action::place);
    return fsm;
}

TEST(AttemptFsm, AnAnswerIsRelayedToItsEnd) {
    AttemptFsm fsm = started();
    send_to(fsm, "a");
    EXPECT_EQ(fsm.resume(event(Event::answer_begun)).kind, Action::relay);
    EXPECT_EQ(fsm.resume(event(Event::answer_complete)).kind, Action::finish);
    EXPECT_EQ(fsm.attempts(), 1U);
}

TEST(AttemptFsm, ARequestThatWaitedBeforeBeginsWithItsGrant) {
    AttemptFsm fsm({});
    EXPECT_EQ(fsm.resume(at(Event::granted, "a")).kind, Action::send);
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::place);
    EXPECT_EQ(fsm.failed(), std::vector{pool("a")});
}

TEST(AttemptFsm, AFailedPlaceIsRetriedElsewhereBeforeTheFirstByte) {
    AttemptFsm fsm = started();
    send_to(fsm, "a");
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::place);
    EXPECT_EQ(fsm.failed(), std::vector<PoolKey>{pool("a")});
    send_to(fsm, "b");
    EXPECT_EQ(fsm.resume(event(Event::answer_complete)).kind, Action::finish);
    EXPECT_EQ(fsm.attempts(), 2U);
}

TEST(AttemptFsm, TheRetriesAreBounded) {
    AttemptFsm fsm = started({.retries = 2});
    send_to(fsm, "a");
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::place);
    send_to(fsm, "b");
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::place);
    send_to(fsm, "c");
    const AttemptAction last = fsm.resume(with(Event::place_failed, died()));
    EXPECT_EQ(last.kind, Action::answer_error);
    EXPECT_EQ(last.error.code, Errc::worker_reset);
    EXPECT_EQ(fsm.attempts(), 3U);
}

TEST(AttemptFsm, APinnedRequestIsNotRetriedElsewhere) {
    AttemptFsm fsm = started({.pinned = true});
    send_to(fsm, "a");
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::answer_error);
}

TEST(AttemptFsm, ABodyThatIsNotKeptIsNotSentAgain) {
    AttemptFsm fsm = started({.replayable = false});
    send_to(fsm, "a");
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::answer_error);
}

TEST(AttemptFsm, WhenNothingIsLeftTheFailureIsTheAnswer) {
    AttemptFsm fsm = started();
    send_to(fsm, "a");
    fsm.resume(with(Event::place_failed, died()));
    const AttemptAction last = fsm.resume(event(Event::all_excluded));
    EXPECT_EQ(last.kind, Action::answer_error);
    EXPECT_EQ(last.error.message, "the engine died");
}

TEST(AttemptFsm, ARefusedLeaseIsNoAttemptAndAsksEachPoolOnceARound) {
    AttemptFsm fsm = started({.retries = 0});
    send_to(fsm, "a");
    EXPECT_EQ(fsm.resume(event(Event::lease_refused)).kind, Action::place);
    send_to(fsm, "b");
    EXPECT_EQ(fsm.resume(event(Event::lease_refused)).kind, Action::place);
    EXPECT_EQ(fsm.refused(), (std::vector<PoolKey>{pool("a"), pool("b")}));
    EXPECT_EQ(fsm.resume(event(Event::all_excluded)).kind, Action::wait);
    EXPECT_EQ(fsm.attempts(), 0U);
}

TEST(AttemptFsm, AGrantedSlotBeginsANewRound) {
    AttemptFsm fsm = started();
    send_to(fsm, "a");
    fsm.resume(event(Event::lease_refused));
    EXPECT_EQ(fsm.resume(event(Event::all_excluded)).kind, Action::wait);
    EXPECT_EQ(fsm.resume(at(Event::granted, "a")).kind, Action::send);
    EXPECT_TRUE(fsm.refused().empty());
}

TEST(AttemptFsm, AFailedPlaceIsNotAskedAgainInALaterRound) {
    AttemptFsm fsm = started();
    send_to(fsm, "a");
    fsm.resume(with(Event::place_failed, died()));
    EXPECT_EQ(fsm.resume(event(Event::no_slot)).kind, Action::wait);
    EXPECT_EQ(fsm.resume(at(Event::granted, "b")).kind, Action::send);
    EXPECT_EQ(fsm.failed(), std::vector<PoolKey>{pool("a")});
}

TEST(AttemptFsm, BusySlotsMeanWaitingAndAFullQueueIsTheAnswer) {
    AttemptFsm fsm = started();
    EXPECT_EQ(fsm.resume(event(Event::no_slot)).kind, Action::wait);
    const Error full{Errc::admission_reject, "the queue is full", {}};
    const AttemptAction last = fsm.resume(with(Event::queue_failed, full));
    EXPECT_EQ(last.kind, Action::answer_error);
    EXPECT_EQ(last.error.code, Errc::admission_reject);
}

TEST(AttemptFsm, ARejectionIsTheAnswer) {
    AttemptFsm fsm = started();
    const Error unknown{Errc::model_not_found, "model: unknown", {}};
    EXPECT_EQ(fsm.resume(with(Event::rejected, unknown)).error.code, Errc::model_not_found);
}

TEST(AttemptFsm, AfterTheFirstByteNothingIsTriedAgain) {
    AttemptFsm fsm = started({.retries = 5});
    send_to(fsm, "a");
    fsm.resume(event(Event::answer_begun));
    const AttemptAction last = fsm.resume(with(Event::answer_broken, died()));
    EXPECT_EQ(last.kind, Action::break_answer);
    EXPECT_EQ(last.error.code, Errc::worker_reset);
}

TEST(AttemptFsm, AClientThatLeavesEndsItInEveryState) {
    AttemptFsm placing = started();
    EXPECT_EQ(placing.resume(event(Event::client_gone)).kind, Action::finish);
    AttemptFsm waiting = started();
    waiting.resume(event(Event::no_slot));
    EXPECT_EQ(waiting.resume(event(Event::client_gone)).kind, Action::finish);
    AttemptFsm sending = started();
    send_to(sending, "a");
    EXPECT_EQ(sending.resume(event(Event::client_gone)).kind, Action::finish);
    AttemptFsm relaying = started();
    send_to(relaying, "a");
    relaying.resume(event(Event::answer_begun));
    EXPECT_EQ(relaying.resume(event(Event::client_gone)).kind, Action::finish);
    EXPECT_EQ(relaying.resume(event(Event::answer_begun)).kind, Action::finish);
}

}  // namespace
}  // namespace orch::control::gateway
