#pragma once

#include "base/result.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>

namespace orch {

// Writes a small file so that a reader, or this program after a power cut, finds either the old or
// the new content and never a part: a temporary file beside it (hidden, and not ending in the
// name's own extension), fsync, rename, fsync of the folder. The folder must exist. Only this
// program's user may read it unless `mode` says more. Blocks.
// Errors: internal, naming the path; then the old file is untouched.
Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode = 0600);

}  // namespace orch
