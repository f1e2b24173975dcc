#include "apps/orchestratord/home_node.hpp"

#include "base/digest.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>
#include <utility>

namespace orch {
namespace {

constexpr std::size_t kTokenBytes = 32;

std::string make_token() {
    auto token = secure_random_hex(kTokenBytes);
    if (!token) {
        throw std::runtime_error(token.error().message);
    }
    return *token;
}

// The node's settings: of the environment those that are its own, and what --model, --models and
// --engine-binary say. Where it listens and whom it joins is not the user's to choose here.
SettingsRead read_node_settings(const SettingsRead& read, const SettingsSources& sources) {
    SettingsSources own;
    for (const auto& [name, value] : sources.environment) {
        if (name.starts_with("POOL_MANAGERD_") && name != "POOL_MANAGERD_ADDR" &&
            name != "POOL_MANAGERD_ADDRESS" && name != "POOL_MANAGERD_REQUIRE_AUTH") {
            own.environment.emplace(name, value);
        }
    }
    for (const auto& [setting, flag] :
         {std::pair("model", "--model"),
          std::pair("models", "--models"),
          std::pair("POOL_MANAGERD_ENGINE_BINARY", "--engine-binary")}) {
        if (const auto value = read.settings.find_text(setting)) {
            own.arguments.insert(own.arguments.end(), {flag, *value});
        }
    }
    SettingsRead node = load_settings(node::app::node_settings(), own);
    node.sections = read.sections;
    return node;
}

}  // namespace

node::app::NodeConfig make_home_node(
    SettingsRead& read, const SettingsSources& sources, control::app::ControlConfig& control
) {
    SettingsRead own = read_node_settings(read, sources);
    node::app::NodeConfig config = node::app::make_node_config(own, sources);
    read.errors.insert(read.errors.end(), own.errors.begin(), own.errors.end());
    read.warnings.insert(read.warnings.end(), own.warnings.begin(), own.warnings.end());
    if (config.state_dir / "" == std::filesystem::path(control.state_dir) / "") {
        read.errors.push_back(fmt::format(
            "POOL_MANAGERD_STATE_DIR: '{}' is ORCHESTRATORD_STATE_DIR too; the node in this "
            "process "
            "needs a folder of its own",
            config.state_dir.string()
        ));
    }
    const std::string token = make_token();
    control.auth.home_node_tokens.add(token);
    control.outbound_token = token;
    config.bind = HostPort{"127.0.0.1", 0};
    config.tls = {};  // what stays on this machine's loopback is plain
    config.auth = {};
    config.auth.mode = auth::AuthMode::required;
    config.auth.tokens.add(token);
    config.outbound_token = token;
    return config;
}

void join_control_plane(node::app::NodeConfig& node, const HostPort& control_plane) {
    HostPort reachable = control_plane;
    if (reachable.host == "0.0.0.0" || reachable.host == "::") {
        reachable.host = "127.0.0.1";
    }
    node.orchestratord_urls = {"http://" + to_string(reachable)};
}

}  // namespace orch
