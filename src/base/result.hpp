#pragma once

#include "base/errc.hpp"

#include <expected>
#include <string>
#include <utility>

namespace orch {

// An expected failure. `message` may be shown to clients and names the field, file or flag at
// fault; `detail` goes to logs only.
struct Error {
    Errc code = Errc::internal;
    std::string message;
    std::string detail;
};

// What an operation that can fail returns. Exceptions are for bugs and start-up only.
template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code, std::string message) {
    return std::unexpected<Error>(Error{code, std::move(message), {}});
}

inline std::unexpected<Error> fail(Errc code, std::string message, std::string detail) {
    return std::unexpected<Error>(Error{code, std::move(message), std::move(detail)});
}

}  // namespace orch
