#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// For tests: the real program as a child process, and blocking sockets to talk to it.
namespace orch::engine_sim {

inline constexpr std::chrono::milliseconds kPatience{20000};

// A TCP connection whose reads give up after a while.
class WireClient {
public:
    explicit WireClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): as the call wants it
        const auto* generic = reinterpret_cast<const sockaddr*>(&address);
        connected_ = ::connect(socket_, generic, sizeof address) == 0;
    }

    ~WireClient() { leave(); }

    WireClient(const WireClient&) = delete;
    WireClient& operator=(const WireClient&) = delete;

    bool connected() const { return connected_; }

    void send(std::string_view bytes) const {
        [[maybe_unused]] const auto sent =
            ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }

    void leave() {
        if (socket_ >= 0) {
            ::close(socket_);
            socket_ = -1;
        }
    }

    // Whether something can be read, be it the end, before `limit` has passed.
    bool readable_within(std::chrono::milliseconds limit) const {
        pollfd waiting{socket_, POLLIN, 0};
        return ::poll(&waiting, 1, static_cast<int>(limit.count())) == 1;
    }

    // One read; false at the end of the stream.
    bool read_some(std::string& into) const {
        char buffer[65536];
        const ssize_t count =
            readable_within(kPatience) ? ::recv(socket_, buffer, sizeof buffer, 0) : 0;
        into.append(buffer, static_cast<std::size_t>(count > 0 ? count : 0));
        return count > 0;
    }

    std::string read_until(std::string_view mark) const {
        std::string bytes;
        while (bytes.find(mark) == std::string::npos && read_some(bytes)) {
        }
        return bytes;
    }

    std::string read_to_end() const {
        std::string bytes;
        while (read_some(bytes)) {
        }
        return bytes;
    }

    // A whole answer that says its length.
    std::string read_answer() const {
        std::string bytes = read_until("\r\n\r\n");
        const std::size_t head = bytes.find("\r\n\r\n") + 4;
        const std::size_t at = bytes.find("Content-Length: ");
        if (at < head && !bytes.empty()) {
            const std::size_t length = std::stoul(bytes.substr(at + 16));
            while (bytes.size() < head + length && read_some(bytes)) {
            }
        }
        return bytes;
    }

private:
    int socket_;
    bool connected_ = false;
};

// engine-sim with the given flags and environment; killed with this object.
class SimProcess {
public:
    using Environment = std::vector<std::string>;

    explicit SimProcess(std::vector<std::string> flags, Environment environment = {}) {
        std::vector<std::string> arguments{
            ENGINE_SIM, "--model", "/models/sim.gguf", "--port", "0"
        };
        arguments.insert(arguments.end(), flags.begin(), flags.end());
        int ends[2];
        [[maybe_unused]] const int piped = ::pipe(ends);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
        posix_spawn_file_actions_addclose(&actions, ends[0]);
        ::posix_spawn(
            &pid_,
            ENGINE_SIM,
            &actions,
            nullptr,
            pointers(arguments).data(),
            pointers(environment).data()
        );
        posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        errors_ = ends[0];
        read_address();
    }

    ~SimProcess() {
        if (pid_ > 0) {
            signal(SIGKILL);
            wait();
        }
        ::close(errors_);
    }

    SimProcess(const SimProcess&) = delete;
    SimProcess& operator=(const SimProcess&) = delete;

    // 0 when it did not get so far as to listen.
    std::uint16_t port() const { return port_; }

    const std::string& errors() const { return text_; }

    void signal(int number) const { ::kill(pid_, number); }

    // CPU time used so far.
    std::uint64_t cpu_ticks() const {
        std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        std::istringstream fields(text.substr(text.rfind(')') + 1));
        std::string skipped;
        for (int i = 0; i < 11; ++i) {
            fields >> skipped;
        }
        std::uint64_t user = 0;
        std::uint64_t system = 0;
        fields >> user >> system;
        return user + system;
    }

    // waitpid's status.
    int wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, 0), &status, 0);
        return status;
    }

    int exit_code() { return WEXITSTATUS(wait()); }

    bool ended() const {
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
        return info.si_pid == pid_;
    }

private:
    static std::vector<char*> pointers(std::vector<std::string>& texts) {
        std::vector<char*> out;
        for (std::string& text : texts) {
            out.push_back(text.data());
        }
        out.push_back(nullptr);
        return out;
    }

    void read_address() {
        constexpr std::string_view kBound = "bound to http://127.0.0.1:";
        char c = 0;
        while (::read(errors_, &c, 1) == 1) {
            text_ += c;
            const std::size_t at = text_.find(kBound);
            if (c == '\n' && at != std::string::npos) {
                port_ = static_cast<std::uint16_t>(std::stoi(text_.substr(at + kBound.size())));
                return;
            }
        }
    }

    pid_t pid_ = 0;
    int errors_ = -1;
    std::uint16_t port_ = 0;
    std::string text_;
};

inline std::string post(std::string_view path, std::string_view body) {
    std::string text = "POST ";
    text.append(path).append(" HTTP/1.1\r\nHost: sim\r\nContent-Length: ");
    text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    return text;
}

inline std::string get(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: sim\r\n\r\n";
}

// A chat request with one message.
inline std::string chat(std::string_view prompt, bool stream, int max_tokens) {
    return post(
        "/v1/chat/completions",
        R"({"messages":[{"role":"user","content":")" + std::string(prompt) + R"("}],"stream":)" +
            (stream ? "true" : "false") + R"(,"max_tokens":)" + std::to_string(max_tokens) + "}"
    );
}

}  // namespace orch::engine_sim
