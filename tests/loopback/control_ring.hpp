#pragma once

#include "async/async_clock.hpp"
#include "base/log_capture.hpp"
#include "control/app/control_app.hpp"
#include "loopback/eventually.hpp"
#include "loopback/fake_node.hpp"
#include "loopback/raw_socket.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace orch::loopback {

inline constexpr const char* kClusterToken = "cluster-token-0123456789";
inline constexpr const char* kHomeToken = "home-token-0123456789";

inline constexpr std::string_view kChat = "/v1/chat/completions";

// A whole control plane on a free port, and fake nodes that join it.
struct ControlRing : testing::Test {
    ControlRing();
    ~ControlRing() override;

    // Builds and starts it with `config`.
    void start();

    // Makes a node known and waits until its pools take work.
    FakeNode& join(std::string id, std::vector<api::PoolReport> pools);

    FakeNode& make_node(std::string id);  // that has not joined
    Answer register_node(const FakeNode& node);
    Answer beat(const FakeNode& node, std::vector<api::PoolReport> pools);

    // What the node says when it is asked, as it is at once after a failed connection.
    static void answer_polls(FakeNode& node, std::vector<api::PoolReport> pools);

    // Until every edge has what the control thread knows now.
    void settle();

    // Until /health counts that many ready pools.
    bool wait_ready(std::size_t pools);

    // With the cluster's token, on a connection of its own.
    Answer ask(
        std::string_view method,
        std::string_view path,
        std::string_view body = "",
        std::string_view headers = ""
    );

    Answer chat(std::string_view body, std::string_view headers = "") {
        return ask("POST", kChat, body, headers);
    }

    // Sent, not read.
    RawClient begin(
        std::string_view method,
        std::string_view path,
        std::string_view body = "",
        std::string_view headers = ""
    );

    std::string metrics() { return ask("GET", "/metrics").body; }

    bool wait_metric(std::string_view line);

    static std::string code_of(const Answer& answer);

    async::RealClock clock;
    CapturedLog log;
    LogSink sink{LogConfig{}, clock, log};
    control::app::ControlConfig config;
    std::unique_ptr<control::app::ControlApp> app;
    HostPort address;
    std::deque<std::unique_ptr<FakeNode>> nodes;
    std::map<std::string, std::uint64_t> seq;

    void stop(Duration grace);

private:
    bool stopped_ = false;
};

}  // namespace orch::loopback
