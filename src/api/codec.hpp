#pragma once

#include "base/result.hpp"

#include <string_view>

namespace orch::api {

// How every message of this room is read: text -> tree -> aggregate with defaults -> required keys
// -> validate(). Declared here, specialised beside each message, so that no caller instantiates
// the mapper. Errors: invalid_params naming the path, "pools[1].slots_free: is missing".
// Writing is one overload `std::string to_json(const Message&)` per message. Pure; any thread.
template <class Message>
Result<Message> from_json(std::string_view text) = delete;

}  // namespace orch::api
