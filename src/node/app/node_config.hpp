#pragma once

#include "auth/auth_policy.hpp"
#include "base/host_port.hpp"
#include "base/log.hpp"
#include "base/settings.hpp"
#include "base/strong_id.hpp"
#include "net/tls_context.hpp"
#include "node/lifecycle/pool_spec.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace orch::node::app {

// Everything a node is told at start.
struct NodeConfig {
    HostPort bind;
    auth::AuthPolicy auth;
    std::string outbound_token;  // sent to control planes at start; empty = none
    net::TlsFiles tls;
    NodeId node_id;
    MachineId machine_id;
    std::map<std::string, std::string> labels;    // of the whole machine
    std::string advertised_address;               // empty: found out from the connection
    std::vector<std::string> orchestratord_urls;  // none: nobody to register with
    bool register_on_startup = true;
    Duration heartbeat_interval = std::chrono::seconds(10);
    std::filesystem::path state_dir;
    std::filesystem::path runtime_dir;
    std::filesystem::path model_dir;
    Duration model_scan_interval = std::chrono::seconds(2);
    Duration watch_interval = std::chrono::milliseconds(1000);
    bool auto_delete_handoff = true;
    bool callback_enabled = true;
    std::optional<std::string> engine_binary;  // as set; found otherwise
    std::string program_path;                  // of this program, for what is installed beside it
    std::map<std::string, std::string> environment;
    bool keep_engines = false;  // the engines outlive stop()
    std::vector<lifecycle::PoolSpec> pools;
    Duration gpu_interval = std::chrono::seconds(10);
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::json;
    std::uint64_t access_log_sample = 1;  // one in this many, of requests that went well
};

// The settings that pool-managerd knows.
SettingsTable node_settings();

// The settings as values; what is wrong is added to `read.errors`, what is doubtful to
// `read.warnings`. Reads the token file and looks for model files.
NodeConfig make_node_config(SettingsRead& read, const SettingsSources& sources);

// The pools of a settings file's `pools:` section, of `--model FILE` and of `--models DIR`; errors
// and warnings as above. Looks into the folder.
std::vector<lifecycle::PoolSpec> read_pools(SettingsRead& read);

}  // namespace orch::node::app
