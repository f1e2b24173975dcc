#include "apps/llorch/tasks_view.hpp"

#include "apps/llorch/figures.hpp"
#include "apps/llorch/printable.hpp"

#include <fmt/format.h>

#include <string_view>

namespace orch::llorch {
namespace {

Tone tone_of(std::string_view state) {
    if (state == "done") {
        return Tone::good;
    }
    return state == "failed" ? Tone::bad : Tone::plain;
}

std::string place_of(const api::TaskView& task) {
    if (!task.node_id || !task.pool_id) {
        return kUnknown;
    }
    return printable(fmt::format("{}/{}", task.node_id->str(), task.pool_id->str()));
}

std::string state_of(const api::TaskView& task) {
    if (task.queue_position) {
        return fmt::format("{}, {} before it", printable(task.state), *task.queue_position);
    }
    return printable(task.state);
}

// How long it took, or has been taking.
std::string duration_of(const api::TaskView& task, std::int64_t now_ms) {
    return age_text(task.ended_ms.value_or(now_ms) - task.created_ms);
}

std::string reason_of(const api::TaskView& task) {
    return fmt::format("{}: {}", printable(task.error->code), printable(task.error->message));
}

Row row_of(const api::TaskView& task, std::int64_t now_ms) {
    Row row;
    row.cells = {
        {printable(task.task_id)},
        {state_of(task), tone_of(task.state)},
        {printable(task.model)},
        {printable(task.priority)},
        {place_of(task)},
        {fmt::format("{}", task.tokens_out)},
        {duration_of(task, now_ms)},
        {age_text(now_ms - task.created_ms)},
    };
    if (task.error) {
        row.notes.push_back(reason_of(task));
    }
    return row;
}

}  // namespace

std::string tasks_text(const api::TaskList& list, std::int64_t now_ms, const TextStyle& style) {
    if (list.tasks.empty()) {
        return "No task is known.\n";
    }
    Table table;
    table.columns = {
        {"TASK"},
        {"STATE"},
        {"MODEL", Align::left, true},
        {"PRIORITY"},
        {"PLACE"},
        {"TOKENS", Align::right},
        {"TOOK", Align::right},
        {"AGE", Align::right},
    };
    for (const api::TaskView& task : list.tasks) {
        table.rows.push_back(row_of(task, now_ms));
    }
    return render(table, style);
}

std::string task_text(const api::TaskView& task, std::int64_t now_ms) {
    std::string text = fmt::format(
        "task      {}\nstate     {}\nmodel     {}\nworkload  {}\npriority  {}\nplace     {}\n"
        "attempts  {}\ntokens    {}\ntook      {}\n",
        printable(task.task_id),
        state_of(task),
        printable(task.model),
        printable(task.workload),
        printable(task.priority),
        place_of(task),
        task.attempts,
        task.tokens_out,
        duration_of(task, now_ms)
    );
    if (task.error) {
        text += fmt::format("error     {}\n", reason_of(task));
    }
    const std::string& output = task.result ? *task.result : task.output;
    if (!output.empty()) {
        text += fmt::format("\n{}{}", output, output.ends_with('\n') ? "" : "\n");
    }
    return text;
}

}  // namespace orch::llorch
