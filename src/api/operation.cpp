#include "api/operation.hpp"

#include "api/checks.hpp"

#include <utility>

namespace orch::api {

OperationList make_list(std::vector<Operation> operations) {
    const std::size_t count = operations.size();
    return {std::move(operations), count};
}

Result<void> validate(const Operation& message) {
    Checks checks;
    checks.id(message.id, "id");
    checks.require(
        message.state == kRunning || message.state == kSucceeded || message.state == kFailed,
        "state",
        "running, succeeded or failed"
    );
    checks.require(message.progress >= 0 && message.progress <= 1, "progress", "from 0 to 1");
    return checks.result();
}

template <>
Result<Operation> from_json(std::string_view text) {
    auto message = read_message<Operation>(text, [](const json::bj::value& tree) {
        return require_keys(tree, "", {"id", "state"});
    });
    if (message) {
        if (auto valid = validate(*message); !valid) {
            return std::unexpected(valid.error());
        }
    }
    return message;
}

template <>
Result<OperationList> from_json(std::string_view text) {
    return read_message<OperationList>(text, [](const json::bj::value& tree) {
        return require_keys(tree, "", {"operations"});
    });
}

std::string to_json(const Operation& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

std::string to_json(const OperationList& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

}  // namespace orch::api
