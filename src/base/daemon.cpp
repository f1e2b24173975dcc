#include "base/daemon.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>

namespace orch {

void keep_files_private() {
    ::umask(S_IRWXG | S_IRWXO);
}

void announce_listening(const HostPort& bound) {
    fmt::print("{{\"event\":\"listening\",\"address\":\"{}\"}}\n", to_string(bound));
    std::fflush(stdout);
}

}  // namespace orch
