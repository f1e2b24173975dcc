#include "base/daemon.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace orch {

void announce_listening(const HostPort& bound) {
    fmt::print("{{\"event\":\"listening\",\"address\":\"{}\"}}\n", to_string(bound));
    std::fflush(stdout);
}

}  // namespace orch
