#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orch::node::lifecycle {

// The flag of llama-server, in its long form, that `argument` would set although the product sets
// or forbids it itself; nothing for all others. Knows short, long and `flag=value` forms.
std::optional<std::string_view> reserved_flag(std::string_view argument);

// Why a pool's `env` may not set `name`; nothing when it may.
std::optional<std::string> reserved_variable(std::string_view name);

// Whether an inherited variable is kept from engines: it would configure llama-server behind our
// back, or it is the daemon's own setting, secret or systemd handshake.
bool scrubbed_variable(std::string_view name);

// Whether an engine would work otherwise with another value of an inherited variable: GPUs and
// libraries. An engine that was started with another value is not the one that is wanted.
bool steers_engines(std::string_view name);

}  // namespace orch::node::lifecycle
