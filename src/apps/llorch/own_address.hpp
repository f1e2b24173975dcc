#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orch::llorch {

// The interface of the default route with the lowest metric, of Linux's /proc/net/route. Pure.
std::optional<std::string> default_interface(std::string_view routes);

// How other machines are likely to reach this one: the IPv4 address of the interface that the
// default route uses, else its host name.
std::string own_address();

}  // namespace orch::llorch
