#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string>

namespace orch {

// The whole of a small file: settings, tokens. Blocks. Errors: not_found when there is no such
// file, internal when it cannot be read, payload_too_large beyond `limit`; the message names the
// path.
Result<std::string> load_file(const std::string& path, Bytes limit = 16 * kMiB);

}  // namespace orch
