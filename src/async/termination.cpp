#include "async/termination.hpp"

#include <pthread.h>

#include <csignal>
#include <ctime>

namespace orch::async {
namespace {

sigset_t awaited() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

}  // namespace

TerminationSignals::TerminationSignals() {
    const sigset_t set = awaited();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    // A peer that closes shows as a failed write, never as a signal.
    std::signal(SIGPIPE, SIG_IGN);
}

int TerminationSignals::wait() {
    const sigset_t set = awaited();
    int number = 0;
    while (sigwait(&set, &number) != 0) {
    }
    return number;
}

std::optional<int> TerminationSignals::wait_for(Duration limit) {
    const sigset_t set = awaited();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    const timespec timeout{seconds.count(), (limit - seconds).count()};
    const int number = sigtimedwait(&set, nullptr, &timeout);
    return number > 0 ? std::optional(number) : std::nullopt;
}

}  // namespace orch::async
