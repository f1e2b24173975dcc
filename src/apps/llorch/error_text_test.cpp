#include "apps/llorch/error_text.hpp"

#include "api/error_body.hpp"

#include <gtest/gtest.h>

namespace orch::llorch {
namespace {

std::string envelope(Errc code, std::string message) {
    return api::to_json(api::make_error_body({code, std::move(message), {}}, CorrelationId("c-1")));
}

TEST(ErrorText, NamesTheServersCodeAndWhereToLook) {
    const Failure failure = failure_of_answer(409, envelope(Errc::conflict, "it exists"));
    EXPECT_EQ(failure.code, ExitCode::refused);
    EXPECT_EQ(failure.text, "CONFLICT: it exists\n  correlation id: c-1");
}

TEST(ErrorText, TellsWhyEachPlaceWasNotTaken) {
    api::ErrorDetails details;
    details.candidates = {{NodeId("n1"), PoolId("chat"), {"not ready", "draining"}}};
    const auto body = api::make_error_body(
        {Errc::model_not_available, "no ready pool", {}},
        CorrelationId(),
        details,
        std::chrono::milliseconds(1500)
    );
    EXPECT_EQ(
        failure_of_answer(503, api::to_json(body)).text,
        "MODEL_NOT_AVAILABLE: no ready pool\n"
        "  n1/chat: not ready, draining\n"
        "  try again in 1500 ms"
    );
}

TEST(ErrorText, MapsStatusToExitCode) {
    const auto code = [](int status) { return failure_of_answer(status, "").code; };
    EXPECT_EQ(code(401), ExitCode::unauthorised);
    EXPECT_EQ(code(403), ExitCode::unauthorised);
    EXPECT_EQ(code(404), ExitCode::not_found);
    EXPECT_EQ(code(429), ExitCode::refused);
    EXPECT_EQ(code(503), ExitCode::refused);
    EXPECT_EQ(exit_code_for(200), ExitCode::ok);
    EXPECT_EQ(exit_code_for(302), ExitCode::refused);
}

TEST(ErrorText, SaysWhereATokenComesFrom) {
    const std::string text = failure_of_answer(401, envelope(Errc::missing_token, "no token")).text;
    EXPECT_TRUE(text.starts_with("MISSING_TOKEN: no token\n")) << text;
    EXPECT_NE(text.find("--api-token-file"), std::string::npos);
}

TEST(ErrorText, GivesTheStatusOfAForeignAnswer) {
    EXPECT_EQ(failure_of_answer(502, "<html>").text, "the server answers 502 Bad Gateway");
}

TEST(ErrorText, DisarmsTheMessage) {
    const std::string body = envelope(Errc::internal, "x\x1b[2J");
    EXPECT_TRUE(failure_of_answer(500, body).text.starts_with("INTERNAL: x?[2J"));
}

}  // namespace
}  // namespace orch::llorch
