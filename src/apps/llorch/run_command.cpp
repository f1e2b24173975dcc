#include "apps/llorch/chat.hpp"
#include "apps/llorch/commands.hpp"
#include "apps/llorch/error_text.hpp"

#include <iterator>

namespace orch::llorch {
namespace {

constexpr const char* kPath = "/v1/chat/completions";

// Takes an answer as it arrives and prints it.
class AnswerPrinter {
public:
    AnswerPrinter(bool stream, bool json, Console& console)
        : stream_(stream), json_(json), console_(console) {}

    void take(int status, std::string_view piece) {
        const bool streamed = stream_ && status == 200;
        const std::string text = streamed ? events_.feed(piece) : std::string();
        if (!streamed) {
            body_ += piece;
        }
        print(json_ ? piece : std::string_view(text));
    }

    // The answer has ended with this status.
    ExitCode finish(int status) {
        if (status != 200) {
            return end_with(failure_of_answer(status, body_));
        }
        if (stream_) {
            return end_with(events_.end());
        }
        const auto text = answer_text(body_);
        if (!text) {
            return end_with(text.error());
        }
        print(json_ ? std::string_view() : std::string_view(*text));
        return end_with(std::nullopt);
    }

    ExitCode end_with(const std::optional<Failure>& failure) {
        if (any_ && last_ != '\n' && (!json_ || console_.terminal)) {
            console_.out << '\n' << std::flush;
        }
        return failure ? report(console_, *failure) : ExitCode::ok;
    }

private:
    void print(std::string_view text) {
        if (!text.empty()) {
            console_.out << text << std::flush;
            any_ = true;
            last_ = text.back();
        }
    }

    bool stream_;
    bool json_;
    Console& console_;
    ChatStream events_;
    std::string body_;  // of an answer that is no stream
    bool any_ = false;
    char last_ = '\0';
};

std::string prompt_of(const RunOptions& options, Console& console) {
    if (options.prompt != "-") {
        return options.prompt;
    }
    return {std::istreambuf_iterator<char>(console.in), std::istreambuf_iterator<char>()};
}

}  // namespace

ExitCode run_command(ApiClient& client, const RunOptions& options, bool json, Console& console) {
    const ChatRequest request{
        options.model,
        prompt_of(options, console),
        options.system,
        options.max_tokens,
        options.temperature,
        !options.no_stream,
    };
    AnswerPrinter printer(request.stream, json, console);
    const auto status =
        client.post(kPath, to_json(request), [&printer](int code, std::string_view piece) {
            printer.take(code, piece);
        });
    return status ? printer.finish(*status) : printer.end_with(status.error());
}

}  // namespace orch::llorch
