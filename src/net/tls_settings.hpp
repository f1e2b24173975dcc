#pragma once

#include "base/settings.hpp"
#include "net/tls_context.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace orch::net {

// The four settings of a program: PREFIX_TLS_CERT, _KEY, _CA and _CLIENT_CA, all live.
std::vector<Setting> tls_settings(const std::string& prefix);

// The files that they name. Loads them once to see whether they are sound: what is wrong is added
// to `read.errors`, beginning with the setting. Requires: the table has the settings.
TlsFiles read_tls_settings(SettingsRead& read, const std::string& prefix);

}  // namespace orch::net
