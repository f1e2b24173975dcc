#pragma once

#include "api/labels.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

// Shared by the messages of this room: required keys and the checks of validate().
namespace orch::api {

// Collects the first complaint of a validate(); later checks are then skipped.
class Checks {
public:
    Result<void> result() const;

    bool ok() const { return !error_; }

    void require(bool condition, std::string_view path, std::string_view wanted);
    void id(std::string_view text, std::string_view path);
    void text(std::string_view text, std::size_t max_length, std::string_view path);
    void count(std::size_t count, std::size_t most, std::string_view path);
    void labels(const Labels& labels, const std::string& path);
    void base_url(std::string_view text, std::string_view path);

private:
    std::optional<Error> error_;
};

// Errors: invalid_params "<path>.<key>: is missing" for the first key that is absent or null.
// Anything but an object passes: the mapper says what is wrong with it.
Result<void> require_keys(
    const json::bj::value& value,
    std::string_view path,
    std::initializer_list<std::string_view> keys
);

// Parses, lets `check_tree` look for required keys, and reads. `finish(tree, message)` then fills
// defaults that depend on what the tree says.
template <class Message, class CheckTree, class Finish>
Result<Message> read_message(std::string_view text, CheckTree check_tree, Finish finish) {
    auto tree = json::parse(text);
    if (!tree) {
        return std::unexpected(tree.error());
    }
    if (auto complete = check_tree(*tree); !complete) {
        return std::unexpected(complete.error());
    }
    Message message{};
    if (auto read = json::read_into(*tree, message, std::string{}); !read) {
        return std::unexpected(read.error());
    }
    finish(*tree, message);
    return message;
}

template <class Message, class CheckTree>
Result<Message> read_message(std::string_view text, CheckTree check_tree) {
    return read_message<Message>(text, check_tree, [](const json::bj::value&, Message&) {});
}

}  // namespace orch::api
