#include "loopback/control_ring.hpp"

#include "api/error_body.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace orch::loopback {

ControlRing::ControlRing() {
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    config.state_dir = fmt::format("{}control-{}-{}", testing::TempDir(), getpid(), test->name());
    std::filesystem::create_directories(config.state_dir);
    config.profile = {control::app::Profile::cloud, HostPort{"127.0.0.1", 0}, "of the test"};
    config.auth.tokens.add(kClusterToken);
    config.auth.home_node_tokens.add(kHomeToken);
    config.outbound_token = kClusterToken;
    config.gateway.first_byte_limit = kGuard;
    config.gateway.idle_limit = kGuard;
    config.poll_interval = std::chrono::hours(1);  // fake nodes have nothing to tell
    // A connection over loopback is refused at once or made at once.
    config.gateway.connect_limit = kGuard;
}

ControlRing::~ControlRing() {
    stop(Duration::zero());
    app.reset();
    std::filesystem::remove_all(config.state_dir);
}

void ControlRing::start() {
    app = std::make_unique<control::app::ControlApp>(config, clock, sink);
    const auto bound = app->bind();
    const auto loaded = app->open_state();
    if (!bound || !loaded) {
        throw std::runtime_error(bound ? loaded.error().message : bound.error().message);
    }
    address = *bound;
    app->start();
}

void ControlRing::stop(Duration grace) {
    if (app && !std::exchange(stopped_, true)) {
        app->stop(grace);
    }
}

FakeNode& ControlRing::make_node(std::string id) {
    nodes.push_back(std::make_unique<FakeNode>(std::move(id), clock, sink));
    return *nodes.back();
}

Answer ControlRing::register_node(const FakeNode& node) {
    api::RegisterRequest message;
    message.node_id = NodeId(node.id());
    message.machine_id = MachineId("m-" + node.id());
    message.address = node.url();
    message.boot_id = "b1";
    return ask("POST", "/v2/nodes/register", api::to_json(message));
}

Answer ControlRing::beat(const FakeNode& node, std::vector<api::PoolReport> pools) {
    api::HeartbeatRequest message;
    message.timestamp = "2025-10-01T12:00:00Z";
    message.boot_id = "b1";
    message.seq = ++seq[node.id()];
    message.pools = std::move(pools);
    return ask("POST", "/v2/nodes/" + node.id() + "/heartbeat", api::to_json(message));
}

FakeNode& ControlRing::join(std::string id, std::vector<api::PoolReport> pools) {
    FakeNode& node = make_node(std::move(id));
    EXPECT_EQ(register_node(node).status, 200);
    EXPECT_EQ(beat(node, pools).status, 200);
    const auto shows = [&](const api::PoolReport& pool) {
        return wait_metric(fmt::format(
            R"(orchd_pools_available{{node_id="{}",pool_id="{}"}} {})",
            node.id(),
            pool.pool_id.str(),
            pool.ready ? 1 : 0
        ));
    };
    EXPECT_TRUE(std::ranges::all_of(pools, shows));
    settle();
    return node;
}

void ControlRing::answer_polls(FakeNode& node, std::vector<api::PoolReport> pools) {
    api::NodeStatusBody status;
    status.node_id = NodeId(node.id());
    status.machine_id = MachineId("m");
    status.pools = std::move(pools);
    node.set_status_answer(200, api::to_json(status));
}

// Connections are dealt to the edges in turn, and the answer of the control thread comes behind
// the view that it published before.
void ControlRing::settle() {
    for (std::size_t edge = 0; edge < config.edge_threads; ++edge) {
        ask("GET", "/v2/pools");
    }
}

bool ControlRing::wait_ready(std::size_t pools) {
    const std::string wanted = fmt::format(R"("pools_ready":{})", pools);
    return eventually([&] { return ask("GET", "/health").body.contains(wanted); });
}

bool ControlRing::wait_metric(std::string_view line) {
    return eventually([&] { return metrics().contains(line); });
}

RawClient ControlRing::begin(
    std::string_view method, std::string_view path, std::string_view body, std::string_view headers
) {
    RawClient client(address);
    const bool has_token = headers.contains("Authorization");
    client.send(fmt::format(
        "{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n{}{}\r\n{}",
        method,
        path,
        body.size(),
        has_token ? "" : fmt::format("Authorization: Bearer {}\r\n", kClusterToken),
        headers,
        body
    ));
    return client;
}

Answer ControlRing::ask(
    std::string_view method, std::string_view path, std::string_view body, std::string_view headers
) {
    return begin(method, path, body, headers).read_answer(method == "HEAD");
}

std::string ControlRing::code_of(const Answer& answer) {
    const auto body = api::parse_error_body(answer.body);
    return body ? body->code : "";
}

}  // namespace orch::loopback
