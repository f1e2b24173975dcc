#pragma once

#include <map>
#include <string>
#include <string_view>

namespace orch {

// Where a program keeps what must survive a restart unless told otherwise:
// /var/lib/llama-orch/<program> as root, else below $XDG_STATE_HOME or ~/.local/state. Pure.
std::string default_state_dir(
    std::string_view program, const std::map<std::string, std::string>& environment, bool is_root
);

// The same for this process's user.
std::string default_state_dir(
    std::string_view program, const std::map<std::string, std::string>& environment
);

}  // namespace orch
