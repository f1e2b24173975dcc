#include "base/daemon.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>

namespace orch {

void keep_files_private() {
    ::umask(S_IRWXG | S_IRWXO);
}

bool raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    limit.rlim_cur = limit.rlim_max;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

void announce_listening(const HostPort& bound) {
    fmt::print("{{\"event\":\"listening\",\"address\":\"{}\"}}\n", to_string(bound));
    std::fflush(stdout);
}

}  // namespace orch
