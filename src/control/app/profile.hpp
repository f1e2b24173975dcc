#pragma once

#include "base/host_port.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace orch::control::app {

// HOME: one machine, the node runs in the same process. CLOUD: nodes join over HTTP.
enum class Profile { home, cloud };

std::string_view to_string(Profile profile);

struct ProfileChoice {
    Profile profile = Profile::home;
    HostPort bind;
    std::string reason;  // half a sentence for the line that is printed at start
};

// Unset: CLOUD when an address that is not loopback was given, else HOME. True without an address
// binds 0.0.0.0:8080; otherwise 127.0.0.1:8080 is the default. Pure.
ProfileChoice decide_profile(std::optional<bool> cloud_setting, std::optional<HostPort> address);

}  // namespace orch::control::app
