#pragma once

#include "base/host_port.hpp"

#include <string>
#include <string_view>

namespace orch::llorch {

// What `llorch token new` tells.
struct NewCluster {
    std::string token_file;  // absolute path
    HostPort control_plane;  // where other machines will reach it
    bool tls = false;
};

// The token, when it may be shown (else pass ""), and the exact commands that start the control
// plane, join the next machine and use the cluster. Pure.
std::string token_text(const NewCluster& cluster, std::string_view shown_token);

// The word as a POSIX shell reads it back.
std::string shell_word(std::string_view text);

}  // namespace orch::llorch
