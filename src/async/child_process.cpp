#include "async/child_process.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

// glibc 2.36 forgot the linkage of these declarations.
extern "C" {
#include <sys/pidfd.h>
}

namespace orch::async {
namespace {

std::unexpected<Error> system_failure(const std::string& file, const char* step, int number) {
    return fail(
        Errc::internal, fmt::format("cannot start {}: {}: {}", file, step, std::strerror(number))
    );
}

// posix_spawn's settings: own process group, default signals, nothing blocked, output to the file.
class SpawnSettings {
public:
    explicit SpawnSettings(int output) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
        // Sockets too: a child that keeps a listener open answers for a daemon that is gone.
        posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
        posix_spawnattr_init(&attributes_);
        sigset_t none;
        sigemptyset(&none);
        sigset_t all;
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setflags(
            &attributes_,
            static_cast<short>(
                POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
            )
        );
    }

    ~SpawnSettings() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }

    SpawnSettings(const SpawnSettings&) = delete;
    SpawnSettings& operator=(const SpawnSettings&) = delete;

    int spawn(pid_t& pid, std::vector<char*>& argv, std::vector<char*>& environment) {
        return posix_spawn(
            &pid, argv.front(), &actions_, &attributes_, argv.data(), environment.data()
        );
    }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

ChildExit collect(pid_t pid) {
    int status = 0;
    if (waitpid(pid, &status, 0) != pid) {
        return {};
    }
    if (WIFSIGNALED(status)) {
        return {.code = 0, .signal = WTERMSIG(status)};
    }
    return {.code = WEXITSTATUS(status), .signal = 0};
}

}  // namespace

std::string ChildExit::text() const {
    if (signal == 0) {
        return fmt::format("exit code {}", code);
    }
    return fmt::format("signal {} ({})", signal, strsignal(signal));
}

struct ChildProcess::State {
    pid_t pid;
    asio::posix::basic_stream_descriptor<Executor> pidfd;
    std::optional<ChildExit> ended;
};

Result<ChildProcess> ChildProcess::start(Executor executor, const ChildSpec& spec) {
    const std::string& file = spec.argv.front();
    const int output = open(spec.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (output < 0) {
        return system_failure(spec.output.string(), "open", errno);
    }
    std::vector<std::string> arguments = spec.argv;
    std::vector<std::string> variables;
    for (const auto& [name, value] : spec.environment) {
        variables.push_back(fmt::format("{}={}", name, value));
    }
    std::vector<char*> argv = pointers(arguments);
    std::vector<char*> environment = pointers(variables);
    SpawnSettings settings(output);
    pid_t pid = 0;
    const int failure = settings.spawn(pid, argv, environment);
    close(output);
    if (failure != 0) {
        return system_failure(file, "execute", failure);
    }
    const int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0) {
        const int reason = errno;
        kill(pid, SIGKILL);
        collect(pid);
        return system_failure(file, "pidfd_open", reason);
    }
    return ChildProcess(std::unique_ptr<State>(new State{
        pid, asio::posix::basic_stream_descriptor<Executor>(executor, pidfd), std::nullopt
    }));
}

ChildProcess::ChildProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}

ChildProcess::ChildProcess(ChildProcess&&) noexcept = default;
ChildProcess& ChildProcess::operator=(ChildProcess&&) noexcept = default;
ChildProcess::~ChildProcess() = default;

pid_t ChildProcess::pid() const {
    return state_->pid;
}

Task<ChildExit> ChildProcess::wait() {
    co_await asio::this_coro::throw_if_cancelled(false);
    if (!state_->ended) {
        const auto [failure] =
            co_await state_->pidfd.async_wait(asio::posix::descriptor_base::wait_read, use_tuple);
        if (failure) {
            co_return ChildExit{.code = 0, .signal = -1};
        }
        state_->ended = collect(state_->pid);
    }
    co_return *state_->ended;
}

bool ChildProcess::signal(int number) {
    if (state_->ended) {
        return false;
    }
    return pidfd_send_signal(state_->pidfd.native_handle(), number, nullptr, 0) == 0;
}

}  // namespace orch::async
