#pragma once

#include "async/task.hpp"
#include "base/result.hpp"

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace orch::async {

// How to start a program. The environment is exactly `environment`, and no file of this process
// stays open in it: nothing is inherited.
struct ChildSpec {
    std::vector<std::string> argv;  // argv[0] is the file to execute
    std::map<std::string, std::string> environment;
    std::filesystem::path output;  // stdout and stderr are appended to this file
};

// How a child ended: an exit code, or the signal that killed it.
struct ChildExit {
    int code = 0;
    int signal = 0;

    std::string text() const;  // "exit code 1", "signal 9 (Killed)"
};

// A child of this process in a process group of its own, awaited through a pidfd: no SIGCHLD
// handler, no races on recycled pids. It outlives this object and even this process; who wants it
// gone says so. One thread.
class ChildProcess {
public:
    // Errors: internal with the file's name and the system's reason.
    static Result<ChildProcess> start(Executor executor, const ChildSpec& spec);

    ChildProcess(ChildProcess&&) noexcept;
    ChildProcess& operator=(ChildProcess&&) noexcept;
    ~ChildProcess();

    pid_t pid() const;

    // Returns when the child has ended, or with signal == -1 if the waiting task was cancelled.
    Task<ChildExit> wait();

    // Sends a signal to the child; false when it is gone already.
    bool signal(int number);

private:
    struct State;
    explicit ChildProcess(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace orch::async
