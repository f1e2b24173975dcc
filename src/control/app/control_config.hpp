#pragma once

#include "api/http_address.hpp"
#include "auth/auth_policy.hpp"
#include "base/log.hpp"
#include "base/settings.hpp"
#include "control/admission/wait_queue.hpp"
#include "control/app/profile.hpp"
#include "control/gateway/gateway_config.hpp"
#include "control/placement/placement_policy.hpp"
#include "control/registry/registry_config.hpp"
#include "control/tasks/tasks_config.hpp"
#include "net/tls_context.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace orch::control::app {

// Everything orchestratord is told at start.
struct ControlConfig {
    ProfileChoice profile;
    auth::AuthPolicy auth;
    std::string outbound_token;  // sent to nodes at start; empty = none
    net::TlsFiles tls;
    registry::RegistryConfig registry;
    std::vector<api::HttpAddress> static_nodes;  // polled; they did not join by themselves
    Duration poll_interval = std::chrono::seconds(5);
    admission::AdmissionConfig admission;
    placement::PlacementPolicy placement;
    gateway::GatewayConfig gateway;
    tasks::TasksConfig tasks;
    std::size_t edge_threads = 1;
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::json;
    std::uint64_t access_log_sample = 1;  // one in this many, of requests that went well
    std::string state_dir;
};

// Whether the machine's node runs in this process: HOME, unless a static node does its work.
bool runs_home_node(const ControlConfig& config);

// The settings that orchestratord knows.
SettingsTable control_settings();

// The settings as values. What contradicts itself or cannot be is added to `read.errors`, what is
// doubtful to `read.warnings`. Reads the token file.
ControlConfig make_control_config(SettingsRead& read, const SettingsSources& sources);

}  // namespace orch::control::app
