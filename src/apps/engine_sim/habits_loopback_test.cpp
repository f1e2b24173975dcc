#include "apps/engine_sim/sim_process.hpp"
#include "base/clock.hpp"
#include "engine/sse.hpp"
#include "engine/wire_recording.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

// llama-server's habits that an orchestrator must live with, and the knobs.
namespace orch::engine_sim {
namespace {

using engine::take_apart;
using engine::WireMessage;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr milliseconds kSoon{300};

std::string answer_to(const SimProcess& sim, const std::string& request) {
    const WireClient client(sim.port());
    client.send(request);
    return client.read_answer();
}

std::string body_of(const SimProcess& sim, const std::string& request) {
    return take_apart(answer_to(sim, request)).body;
}

milliseconds measure(const auto& work) {
    const SystemClock clock;
    const Instant begun = clock.now();
    work();
    return std::chrono::duration_cast<milliseconds>(clock.now() - begun);
}

TEST(Connections, EndAfterAStreamAndGoOnAfterAnythingElse) {
    const SimProcess sim({});
    const WireClient client(sim.port());
    client.send(get("/health"));
    EXPECT_THAT(client.read_answer(), HasSubstr("Keep-Alive"));
    client.send(get("/nope"));
    EXPECT_THAT(client.read_answer(), HasSubstr("Connection: close"));
    client.send(chat("hello", false, 2));
    EXPECT_THAT(client.read_answer(), HasSubstr("chat.completion"));
    client.send(chat("hello", true, 2));
    const std::string stream = client.read_to_end();
    EXPECT_THAT(stream, HasSubstr("Keep-Alive"));
    EXPECT_TRUE(stream.ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"));
}

TEST(Connections, EndWithTheirHundredthAnswer) {
    const SimProcess sim({});
    const WireClient client(sim.port());
    for (int i = 1; i < 100; ++i) {
        client.send(get("/health"));
        ASSERT_THAT(client.read_answer(), HasSubstr("Keep-Alive")) << i;
    }
    client.send(get("/health"));
    EXPECT_THAT(client.read_to_end(), HasSubstr("Connection: close"));
}

TEST(Connections, LoseAPipelinedRequest) {
    const SimProcess sim({});
    const WireClient client(sim.port());
    client.send(get("/health") + get("/props"));
    EXPECT_THAT(client.read_answer(), HasSubstr("\"ok\""));
    EXPECT_FALSE(client.readable_within(kSoon));
}

TEST(Queue, SendsNothingBeforeARequestHasItsSlot) {
    const SimProcess sim({"--tokens-per-second", "20"});
    const WireClient first(sim.port());
    first.send(chat("hello", true, 20));
    first.read_until("red");
    const WireClient second(sim.port());
    second.send(chat("hello", true, 1));
    EXPECT_FALSE(second.readable_within(kSoon));
    first.read_to_end();
    EXPECT_THAT(second.read_to_end(), HasSubstr("[DONE]"));
}

TEST(Queue, SendsTheHeadWhenTheSlotStartsNotWithTheFirstToken) {
    const SimProcess sim({"--ttft-ms", "3600000"});
    const WireClient client(sim.port());
    client.send(chat("hello", true, 1));
    EXPECT_TRUE(client.read_until("\r\n\r\n").ends_with("\r\n\r\n"));
    EXPECT_FALSE(client.readable_within(kSoon));
}

TEST(LeavingClients, EndARunningStreamAtOnce) {
    const SimProcess sim({"--tokens-per-second", "1"});
    WireClient leaving(sim.port());
    leaving.send(chat("hello", true, 64));
    leaving.read_until("red");
    leaving.leave();
    EXPECT_LT(measure([&] { body_of(sim, chat("hello", false, 1)); }), milliseconds(900));
}

TEST(LeavingClients, EndAnAnswerInOnePieceAfterASecondOfSilence) {
    const SimProcess sim({"--ttft-ms", "3600000"});
    WireClient leaving(sim.port());
    leaving.send(chat("hello", false, 64));
    EXPECT_FALSE(leaving.readable_within(kSoon));
    leaving.leave();
    const WireClient next(sim.port());
    next.send(chat("hello", true, 1));
    EXPECT_FALSE(next.readable_within(milliseconds(400)));
    EXPECT_THAT(next.read_until("\r\n\r\n"), HasSubstr("200 OK"));
}

TEST(LeavingClients, LeaveTheirAnswerRunningWhileAnotherStreamRuns) {
    const SimProcess sim({"--parallel", "2", "--tokens-per-second", "10"});
    const WireClient stream(sim.port());
    stream.send(chat("hello", true, 64));
    stream.read_until("red");
    WireClient leaving(sim.port());
    leaving.send(chat("hello", false, 64));
    EXPECT_FALSE(leaving.readable_within(kSoon));
    leaving.leave();
    const WireClient third(sim.port());
    third.send(chat("hello", true, 1));
    EXPECT_FALSE(third.readable_within(milliseconds(2500)));
}

TEST(Termination, IsPromptWhenIdle) {
    SimProcess sim({});
    const WireClient idle(sim.port());
    sim.signal(SIGTERM);
    EXPECT_EQ(sim.exit_code(), 0);
}

TEST(Termination, HangsWhileBusyUntilTheClientLeaves) {
    SimProcess sim({"--tokens-per-second", "100"});
    WireClient client(sim.port());
    client.send(chat("hello", true, 64));
    client.read_until("red");
    sim.signal(SIGTERM);
    while (client.readable_within(kSoon)) {
        std::string rest;
        ASSERT_TRUE(client.read_some(rest)) << "the stream was ended";
        ASSERT_THAT(rest, Not(HasSubstr("[DONE]")));
    }
    EXPECT_FALSE(sim.ended());
    EXPECT_FALSE(WireClient(sim.port()).connected());
    client.leave();
    EXPECT_EQ(sim.exit_code(), 0);
}

TEST(Termination, IsForcedByASecondSignal) {
    SimProcess sim({"--ttft-ms", "3600000"});
    const WireClient client(sim.port());
    client.send(chat("hello", false, 64));
    EXPECT_FALSE(client.readable_within(kSoon));
    sim.signal(SIGTERM);
    while (WireClient(sim.port()).connected()) {
    }
    sim.signal(SIGTERM);
    EXPECT_EQ(sim.exit_code(), 1);
}

TEST(Termination, KillsWhileTheModelIsLoaded) {
    SimProcess sim({"--load-ms", "3600000"});
    answer_to(sim, get("/health"));
    sim.signal(SIGTERM);
    EXPECT_EQ(WTERMSIG(sim.wait()), SIGTERM);
}

TEST(Knobs, CrashInsideTheTokenThatTheyName) {
    SimProcess sim({}, {"ENGINE_SIM_CRASH_AFTER_TOKENS=3"});
    const WireClient client(sim.port());
    client.send(chat("hello", true, 64));
    std::string bytes = client.read_to_end();
    EXPECT_EQ(WTERMSIG(sim.wait()), SIGKILL);
    engine::EventBuffer events;
    const std::string whole(events.feed(bytes));
    EXPECT_EQ(engine::count_tokens(whole), 2U);
    EXPECT_THAT(std::string(events.held()), HasSubstr("data: "));
}

TEST(Knobs, HangTheWholeProcess) {
    SimProcess sim({"--hang-after-tokens", "2"});
    const WireClient client(sim.port());
    client.send(chat("hello", true, 64));
    EXPECT_THAT(client.read_until(" net"), Not(HasSubstr(" day")));
    const WireClient prober(sim.port());
    EXPECT_TRUE(prober.connected());
    prober.send(get("/health"));
    EXPECT_FALSE(prober.readable_within(kSoon));
    EXPECT_FALSE(client.readable_within(kSoon));
    sim.signal(SIGTERM);
    EXPECT_FALSE(prober.readable_within(kSoon));
    EXPECT_FALSE(sim.ended());
}

TEST(Knobs, ComputeAndAnswerNothingMeanwhile) {
    const SimProcess sim({}, {"ENGINE_SIM_COMPUTE_MS=3600000"});
    const WireClient client(sim.port());
    client.send(chat("hello", false, 8));
    const std::uint64_t before = sim.cpu_ticks();
    while (sim.cpu_ticks() < before + 5) {
        EXPECT_FALSE(client.readable_within(milliseconds(1)));
    }
    const WireClient prober(sim.port());
    prober.send(get("/health"));
    EXPECT_FALSE(prober.readable_within(kSoon));
    EXPECT_FALSE(client.readable_within(kSoon));

    const SimProcess quick({"--compute-ms", "50"});
    EXPECT_THAT(answer_to(quick, chat("hello", false, 8)), HasSubstr("200 OK"));
}

TEST(Knobs, RefuseGenerationAndNothingElse) {
    const SimProcess sim({}, {"ENGINE_SIM_REFUSE=503"});
    EXPECT_THAT(answer_to(sim, chat("hello", true, 4)), HasSubstr("503 Service Unavailable"));
    EXPECT_THAT(answer_to(sim, get("/health")), HasSubstr("200 OK"));
}

TEST(Knobs, FailAtTheStart) {
    SimProcess sim({}, {"ENGINE_SIM_EXIT_AT_START=1"});
    EXPECT_EQ(sim.port(), 0);
    EXPECT_EQ(sim.errors(), "error: failed to load model '/models/sim.gguf'\n");
    EXPECT_EQ(sim.exit_code(), 1);
}

TEST(Knobs, EndLoadingInTime) {
    const SimProcess sim({"--load-ms", "200"});
    EXPECT_THAT(answer_to(sim, get("/health")), HasSubstr("Loading model"));
    const WireClient pause(sim.port());
    EXPECT_FALSE(pause.readable_within(kSoon));
    EXPECT_THAT(answer_to(sim, get("/health")), HasSubstr("200 OK"));
}

TEST(Knobs, PaceTheTokens) {
    const SimProcess sim({"--ttft-ms", "200", "--tokens-per-second", "20"});
    EXPECT_GE(measure([&] { body_of(sim, chat("hello", false, 5)); }), milliseconds(400));
}

TEST(Start, FailsOnATakenPort) {
    const SimProcess first({});
    SimProcess second({"--port", std::to_string(first.port())});
    EXPECT_EQ(second.port(), 0);
    EXPECT_THAT(second.errors(), HasSubstr("couldn't bind"));
    EXPECT_EQ(second.exit_code(), 1);
}

TEST(Answers, DependOnThePromptAndContinueWhatWasBegun) {
    const SimProcess sim({"--answer-tokens", "5"});
    EXPECT_THAT(
        body_of(sim, chat("tell me, beta", false, 100)), HasSubstr(R"(" redB netB dayB oilB antB")")
    );
    const std::string begun = R"({"messages":[{"role":"user","content":"gamma"},)"
                              R"({"role":"assistant","content":" redG netG"}])";
    EXPECT_THAT(
        body_of(sim, post("/v1/chat/completions", begun + "}")),
        HasSubstr(R"(" redG netG dayG oilG antG")")
    );
    const WireClient client(sim.port());
    client.send(post("/v1/chat/completions", begun + R"(,"stream":true})"));
    const WireMessage stream = take_apart(client.read_to_end());
    EXPECT_EQ(engine::count_tokens(stream.body), 3U);
    EXPECT_THAT(stream.body, Not(HasSubstr("netG")));
}

}  // namespace
}  // namespace orch::engine_sim
