#pragma once

#include "auth/tokens.hpp"
#include "base/settings.hpp"

namespace orch::auth {

// The tokens that LLORCH_API_TOKEN and LLORCH_API_TOKEN_FILE name; the first one is what the
// daemon sends. Reads the file. What is wrong is added to `read.errors`, what is doubtful to
// `read.warnings`. Requires: the table has both settings.
Tokens read_token_settings(SettingsRead& read);

}  // namespace orch::auth
