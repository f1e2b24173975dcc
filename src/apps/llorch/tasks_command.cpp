#include "apps/llorch/commands.hpp"
#include "apps/llorch/error_text.hpp"
#include "apps/llorch/task_stream.hpp"
#include "apps/llorch/tasks_view.hpp"
#include "base/json.hpp"

#include <boost/describe/class.hpp>
#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace orch::llorch {
namespace {

struct SentTask {
    std::string model;
    std::string prompt;
    std::string priority;
    std::optional<std::uint32_t> max_tokens;
    std::optional<std::uint64_t> deadline_ms;
    std::optional<std::string> task_id;
};

BOOST_DESCRIBE_STRUCT(SentTask, (), (model, prompt, priority, max_tokens, deadline_ms, task_id))

std::string path_of(const std::string& id, std::string_view below = "") {
    return fmt::format("/v2/tasks/{}{}", id, below);
}

// A whole answer of a POST.
Outcome<Answer> post(ApiClient& client, std::string path, std::string body) {
    Answer answer;
    const auto status =
        client.post(std::move(path), std::move(body), [&answer](int, std::string_view piece) {
            answer.body += piece;
        });
    if (!status) {
        return std::unexpected(status.error());
    }
    answer.status = *status;
    if (exit_code_for(answer.status) != ExitCode::ok) {
        return std::unexpected(failure_of_answer(answer.status, answer.body));
    }
    return answer;
}

std::string prompt_of(const TaskOptions& options, Console& console) {
    if (options.prompt != "-") {
        return options.prompt;
    }
    return {std::istreambuf_iterator<char>(console.in), std::istreambuf_iterator<char>()};
}

}  // namespace

ExitCode tasks_list_command(
    ApiClient& client, const TaskOptions& options, bool json, std::int64_t now_ms, Console& console
) {
    std::string path = fmt::format("/v2/tasks?limit={}", options.limit);
    if (options.state) {
        path += fmt::format("&state={}", *options.state);
    }
    const Format format = [&console, now_ms](const std::string& body) -> Result<std::string> {
        const auto list = api::from_json<api::TaskList>(body);
        if (!list) {
            return std::unexpected(list.error());
        }
        return tasks_text(*list, now_ms, console.style);
    };
    return print_get(client, path, json, format, console);
}

ExitCode tasks_show_command(
    ApiClient& client, const TaskOptions& options, bool json, std::int64_t now_ms, Console& console
) {
    const Format format = [now_ms](const std::string& body) -> Result<std::string> {
        const auto task = api::from_json<api::TaskView>(body);
        if (!task) {
            return std::unexpected(task.error());
        }
        return task_text(*task, now_ms);
    };
    return print_get(client, path_of(options.id), json, format, console);
}

ExitCode tasks_watch_command(
    ApiClient& client, const TaskOptions& options, bool json, Console& console
) {
    TaskStream stream;
    std::string refusal;
    bool any = false;
    const auto status =
        client.follow(path_of(options.id, "/events"), [&](int code, std::string_view piece) {
            if (code != 200) {
                refusal += piece;
                return;
            }
            const std::string text = stream.feed(piece);
            console.out << (json ? piece : std::string_view(text)) << std::flush;
            any = any || !text.empty();
        });
    if (any && !json) {
        console.out << '\n' << std::flush;
    }
    if (!status) {
        return report(console, status.error());
    }
    if (*status != 200) {
        return report(console, failure_of_answer(*status, refusal));
    }
    const auto failure = stream.end();
    return failure ? report(console, *failure) : ExitCode::ok;
}

ExitCode tasks_cancel_command(
    ApiClient& client, const TaskOptions& options, bool json, Console& console
) {
    const auto answer = post(client, path_of(options.id, "/cancel"), "");
    if (!answer) {
        return report(console, answer.error());
    }
    if (!json) {
        console.out << "canceled, unless it had ended before\n" << std::flush;
    }
    return ExitCode::ok;
}

ExitCode tasks_submit_command(
    ApiClient& client, const TaskOptions& options, bool json, Console& console
) {
    const SentTask task{
        options.model,
        prompt_of(options, console),
        options.batch ? "batch" : "interactive",
        options.max_tokens,
        options.deadline_ms,
        options.task_id,
    };
    const auto answer = post(client, "/v2/tasks", json::encode(task));
    if (!answer) {
        return report(console, answer.error());
    }
    if (json) {
        print_body(console, answer->body);
        return ExitCode::ok;
    }
    const auto accepted = api::from_json<api::TaskAccepted>(answer->body);
    if (!accepted) {
        return report(console, failure_of_body("POST /v2/tasks", accepted.error()));
    }
    console.out << accepted->task_id << '\n' << std::flush;
    return ExitCode::ok;
}

}  // namespace orch::llorch
