#include "apps/llorch/commands.hpp"
#include "apps/llorch/error_text.hpp"

namespace orch::llorch {

ExitCode print_get(
    ApiClient& client, const std::string& path, bool json, const Format& format, Console& console
) {
    return print_answer(client.get(path), json, format, "GET " + path, console);
}

ExitCode print_answer(
    const Outcome<Answer>& answer,
    bool json,
    const Format& format,
    const std::string& what,
    Console& console
) {
    if (!answer) {
        return report(console, answer.error());
    }
    if (json) {
        print_body(console, answer->body);
    }
    if (exit_code_for(answer->status) != ExitCode::ok) {
        return report(console, failure_of_answer(answer->status, answer->body));
    }
    if (json) {
        return ExitCode::ok;
    }
    const auto text = format(answer->body);
    if (!text) {
        return report(console, failure_of_body(what, text.error()));
    }
    console.out << *text << std::flush;
    return ExitCode::ok;
}

}  // namespace orch::llorch
