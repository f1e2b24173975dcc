#include "apps/llorch/task_stream.hpp"

#include "apps/llorch/error_text.hpp"
#include "apps/llorch/printable.hpp"
#include "base/json.hpp"

#include <boost/describe/class.hpp>
#include <fmt/format.h>

namespace orch::llorch {
namespace {

// The few fields of a task's events that are of interest here.
struct Said {
    std::string t;
    std::string kind;
    bool canceled = false;
    std::string code;
    std::string message;
};

BOOST_DESCRIBE_STRUCT(Said, (), (t, kind, canceled, code, message))

constexpr std::string_view kRequest = "GET /v2/tasks/{id}/events";

}  // namespace

std::string TaskStream::feed(std::string_view bytes) {
    std::string text;
    engine::EventReader reader(events_.feed(bytes));
    while (const auto event = reader.next()) {
        if (!done_ && !failure_) {
            take_event(*event, text);
        }
    }
    return text;
}

void TaskStream::take_event(const engine::Event& event, std::string& text) {
    if (event.name == "result") {
        text += event.data;
        return;
    }
    const auto said = json::decode<Said>(event.data);
    if (!said) {
        failure_ = failure_of_body(kRequest, said.error());
    } else if (event.name == "token" && said->kind == "text") {
        text += said->t;
    } else if (event.name == "error") {
        failure_ = Failure{
            ExitCode::refused,
            fmt::format("{}: {}", printable(said->code), printable(said->message))
        };
    } else if (event.name == "end" && said->canceled) {
        failure_ = Failure{ExitCode::refused, "the task was canceled"};
    } else if (event.name == "end") {
        done_ = true;
    }
}

std::optional<Failure> TaskStream::end() const {
    if (done_) {
        return std::nullopt;
    }
    return failure_ ? failure_ : failure_of_stream("");
}

}  // namespace orch::llorch
