#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

// Names and digests of model files. Pure.
namespace orch::api {

// [A-Za-z0-9_-][A-Za-z0-9._-]{0,127}: a model's id in a store. It is one path segment and never a
// hidden file, "." or "..".
bool valid_model_id(std::string_view text);

// An id for a file name or the last segment of a URL: without ".gguf", other characters as '-'.
// Nothing when no valid id is left.
std::optional<std::string> model_id_of_file(std::string_view file_name);

// "sha256:" and 64 lower case hex digits. Reads that, in either case, and the bare digits that
// sha256sum prints. Errors: invalid_params that begins with `field`.
Result<std::string> parse_digest(std::string_view text, std::string_view field);

}  // namespace orch::api
