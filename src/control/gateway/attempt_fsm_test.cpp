#include "control/gateway/attempt_fsm.hpp"

#include <gtest/gtest.h>

namespace orch::control::gateway {
namespace {

using Event = AttemptEvent::Kind;
using Action = AttemptAction::Kind;

PoolKey pool(const char* node) {
    return {NodeId(node), PoolId("chat")};
}

placement::PoolLife life_of(const char* node) {
    return {pool(node), 7};
}

Error died() {
    return {Errc::worker_reset, "the engine died", {}};
}

AttemptEvent event(Event kind) {
    return {.kind = kind};
}

AttemptEvent at(Event kind, const char* node) {
    return {.kind = kind, .pool = pool(node), .life = 7};
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
    EXPECT_EQ(fsm.failed(), std::vector{life_of("a")});
}

TEST(AttemptFsm, AFailedPlaceIsRetriedElsewhereBeforeTheFirstByte) {
    AttemptFsm fsm = started();
    send_to(fsm, "a");
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::place);
    EXPECT_EQ(fsm.failed(), std::vector{life_of("a")});
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

TEST(AttemptFsm, WhenNoOtherPlaceIsThereItWaitsForOneAndTheFailureIsTheAnswer) {
    const Error none{Errc::model_not_available, "no pool is ready", {}};
    for (const AttemptEvent& nothing : {event(Event::all_excluded), with(Event::rejected, none)}) {
        AttemptFsm fsm = started();
        send_to(fsm, "a");
        fsm.resume(with(Event::place_failed, died()));
        EXPECT_EQ(fsm.resume(nothing).kind, Action::wait);
        AttemptFsm in_vain = fsm;
        const Error late{Errc::admission_reject, "waited too long", {}};
        const AttemptAction last = in_vain.resume(with(Event::queue_failed, late));
        EXPECT_EQ(last.kind, Action::answer_error);
        EXPECT_EQ(last.error.message, "the engine died");
        EXPECT_EQ(fsm.resume(at(Event::granted, "a")).kind, Action::send);
    }
}

TEST(AttemptFsm, AModelThatIsGoneIsNotWaitedFor) {
    AttemptFsm fsm = started();
    send_to(fsm, "a");
    fsm.resume(with(Event::place_failed, died()));
    const Error gone{Errc::model_not_found, "model: unknown", {}};
    const AttemptAction last = fsm.resume(with(Event::rejected, gone));
    EXPECT_EQ(last.kind, Action::answer_error);
    EXPECT_EQ(last.error.message, "the engine died");
}

TEST(AttemptFsm, WithoutBudgetTheFirstFailureIsTheAnswer) {
    std::vector<SecondTry> asked;
    AttemptFsm fsm({}, [&](SecondTry kind) {
        asked.push_back(kind);
        return false;
    });
    fsm.resume(event(Event::start));
    send_to(fsm, "a");
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::answer_error);
    EXPECT_EQ(asked, std::vector{SecondTry::retry});
}

TEST(AttemptFsm, TheBudgetIsAskedOnlyWhenNothingElseStandsAgainstASecondTry) {
    for (const AttemptLimits limits :
         {AttemptLimits{.retries = 0},
          AttemptLimits{.replayable = false},
          AttemptLimits{.pinned = true}}) {
        bool asked = false;
        AttemptFsm fsm(limits, [&](SecondTry) { return asked = true; });
        fsm.resume(event(Event::start));
        send_to(fsm, "a");
        EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::answer_error);
        EXPECT_FALSE(asked);
    }
}

TEST(AttemptFsm, ARefusedLeaseIsNoAttemptAndAsksEachPoolOnceARound) {
    AttemptFsm fsm = started({.retries = 0});
    send_to(fsm, "a");
    EXPECT_EQ(fsm.resume(event(Event::lease_refused)).kind, Action::place);
    send_to(fsm, "b");
    EXPECT_EQ(fsm.resume(event(Event::lease_refused)).kind, Action::place);
    EXPECT_EQ(fsm.refused(), (std::vector{pool("a"), pool("b")}));
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
    EXPECT_EQ(fsm.failed(), std::vector{life_of("a")});
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

AttemptEvent broken(bool resumable) {
    return {.kind = Event::answer_broken, .error = died(), .resumable = resumable};
}

// A machine whose answer has begun at "a".
AttemptFsm begun(AttemptLimits limits = {}) {
    AttemptFsm fsm = started(limits);
    send_to(fsm, "a");
    EXPECT_EQ(fsm.resume(event(Event::answer_begun)).kind, Action::relay);
    return fsm;
}

TEST(AttemptFsm, AnAnswerThatCannotGoOnIsBroken) {
    AttemptFsm fsm = begun({.retries = 5});
    const AttemptAction last = fsm.resume(broken(false));
    EXPECT_EQ(last.kind, Action::break_answer);
    EXPECT_EQ(last.error.code, Errc::worker_reset);
}

TEST(AttemptFsm, AnAnswerThatCanGoOnIsContinuedElsewhere) {
    AttemptFsm fsm = begun();
    EXPECT_EQ(fsm.resume(broken(true)).kind, Action::place);
    EXPECT_EQ(fsm.failed(), std::vector{life_of("a")});
    send_to(fsm, "b");
    EXPECT_EQ(fsm.resume(event(Event::answer_begun)).kind, Action::relay);
    EXPECT_EQ(fsm.resume(event(Event::answer_complete)).kind, Action::finish);
    EXPECT_EQ(fsm.attempts(), 2U);
}

TEST(AttemptFsm, DeathsInAContinuationAreContinuedUntilTheRetriesAreUsedUp) {
    AttemptFsm fsm = begun({.retries = 2});
    EXPECT_EQ(fsm.resume(broken(true)).kind, Action::place);
    send_to(fsm, "b");
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::place);
    send_to(fsm, "c");
    EXPECT_EQ(fsm.resume(event(Event::answer_begun)).kind, Action::relay);
    EXPECT_EQ(fsm.resume(broken(true)).kind, Action::break_answer);
}

TEST(AttemptFsm, AContinuationThatFindsNoPlaceWaitsAndThenBreaksTheAnswer) {
    AttemptFsm fsm = begun();
    fsm.resume(broken(true));
    EXPECT_EQ(fsm.resume(event(Event::all_excluded)).kind, Action::wait);
    const Error late{Errc::admission_reject, "waited too long", {}};
    const AttemptAction last = fsm.resume(with(Event::queue_failed, late));
    EXPECT_EQ(last.kind, Action::break_answer);
    EXPECT_EQ(last.error.code, Errc::worker_reset);
}

TEST(AttemptFsm, AContinuationThatCannotBeExactEndsTheAnswer) {
    AttemptFsm fsm = begun();
    fsm.resume(broken(true));
    send_to(fsm, "b");
    EXPECT_EQ(fsm.resume(broken(false)).kind, Action::break_answer);
}

TEST(AttemptFsm, APinnedAnswerMayGoOnWhereItIsPinned) {
    AttemptFsm fsm = begun({.pinned = true});
    EXPECT_EQ(fsm.resume(broken(true)).kind, Action::place);
    EXPECT_EQ(fsm.resume(event(Event::all_excluded)).kind, Action::wait);
    EXPECT_EQ(fsm.resume(at(Event::granted, "a")).kind, Action::send);
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::place);
}

TEST(AttemptFsm, AContinuationHasItsBudgetToo) {
    std::vector<SecondTry> asked;
    AttemptFsm fsm({}, [&](SecondTry kind) {
        asked.push_back(kind);
        return asked.size() == 1;
    });
    fsm.resume(event(Event::start));
    send_to(fsm, "a");
    fsm.resume(event(Event::answer_begun));
    EXPECT_EQ(fsm.resume(broken(true)).kind, Action::place);
    send_to(fsm, "b");
    EXPECT_EQ(fsm.resume(with(Event::place_failed, died())).kind, Action::break_answer);
    EXPECT_EQ(asked, (std::vector{SecondTry::continuation, SecondTry::continuation}));
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
