#include "api/task_views.hpp"

#include "api/checks.hpp"

namespace orch::api {
namespace {

namespace bj = json::bj;

bj::value write(const TaskView& task) {
    bj::value value = json::write(task, json::Nulls::write);
    if (task.error) {
        value.as_object()["error"].as_object().erase("details");
    }
    return value;
}

}  // namespace

std::string to_json(const TaskAccepted& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

std::string to_json(const TaskPreview& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

std::string to_json(const TaskView& message) {
    bj::value value = write(message);
    auto result = json::parse(message.result.value_or("null"));
    value.as_object()["result"] = result ? std::move(*result) : bj::value(nullptr);
    return json::serialize(value);
}

std::string to_json(const std::vector<TaskView>& tasks) {
    bj::array list;
    for (const TaskView& task : tasks) {
        bj::value value = write(task);
        value.as_object().erase("output");
        list.push_back(std::move(value));
    }
    bj::object body;
    body["count"] = tasks.size();
    body["tasks"] = std::move(list);
    return json::serialize(body);
}

template <>
Result<TaskAccepted> from_json(std::string_view text) {
    return read_message<TaskAccepted>(text, [](const bj::value& tree) {
        return require_keys(tree, "", {"task_id"});
    });
}

template <>
Result<TaskView> from_json(std::string_view text) {
    return read_message<TaskView>(
        text,
        [](const bj::value& tree) { return require_keys(tree, "", {"task_id", "state"}); },
        [](const bj::value& tree, TaskView& task) {
            const bj::value* const result = tree.get_object().if_contains("result");
            if (result != nullptr && !result->is_null()) {
                task.result = json::serialize(*result);
            }
        }
    );
}

template <>
Result<TaskPreview> from_json(std::string_view text) {
    return read_message<TaskPreview>(text, [](const bj::value& tree) {
        return require_keys(tree, "", {"candidates"});
    });
}

template <>
Result<TaskList> from_json(std::string_view text) {
    return read_message<TaskList>(text, [](const bj::value& tree) {
        return require_keys(tree, "", {"tasks"});
    });
}

}  // namespace orch::api
