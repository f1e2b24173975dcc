#include "control/app/control_config.hpp"

#include "auth/token_settings.hpp"
#include "base/rng.hpp"
#include "base/state_dir.hpp"
#include "daemon/common_settings.hpp"
#include "net/tls_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace orch::control::app {
namespace {

registry::RegistryConfig registry_config(SettingsRead& read) {
    const Settings& settings = read.settings;
    registry::RegistryConfig config;
    config.node_timeout = settings.get_duration("ORCHESTRATORD_NODE_TIMEOUT_SECS");
    config.heartbeat_interval = settings.get_duration("ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS");
    config.forget_after = settings.get_duration("ORCHESTRATORD_NODE_FORGET_SECS");
    config.approve_nodes = settings.get_bool("ORCHESTRATORD_APPROVE_NODES");
    if (config.heartbeat_interval >= config.node_timeout) {
        using Seconds = std::chrono::duration<double>;
        read.errors.push_back(fmt::format(
            "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS: {:g} s must be below "
            "ORCHESTRATORD_NODE_TIMEOUT_SECS ({:g} s)",
            Seconds(config.heartbeat_interval).count(),
            Seconds(config.node_timeout).count()
        ));
    }
    return config;
}

// One node under its own name, and a list: the same thing twice.
void read_static_nodes(ControlConfig& config, SettingsRead& read) {
    const auto take = [&](const char* setting, const std::string& url) {
        const auto address = api::parse_http_address(url, setting);
        if (!address) {
            read.errors.push_back(address.error().message);
        } else {
            config.static_nodes.push_back(*address);
        }
    };
    if (const auto url = read.settings.find_text("POOL_MANAGERD_URL")) {
        take("POOL_MANAGERD_URL", *url);
    }
    for (const std::string& url : read.settings.get_list("ORCHD_POOL_MANAGERS")) {
        take("ORCHD_POOL_MANAGERS", url);
    }
}

// What the node of this process would serve has no place where none runs in it.
void refuse_models_without_node(const ControlConfig& config, SettingsRead& read) {
    if (config.profile.profile != Profile::home || runs_home_node(config)) {
        return;
    }
    constexpr std::string_view kWhy =
        "no node runs in this process when POOL_MANAGERD_URL or ORCHD_POOL_MANAGERS names one: "
        "tell that node";
    for (const char* const name : {"model", "models"}) {
        if (read.settings.given(name)) {
            read.errors.push_back(fmt::format("{}: {}", name, kWhy));
        }
    }
    if (std::ranges::find(read.sections, "pools", &SettingsSection::key) != read.sections.end()) {
        read.errors.push_back(fmt::format("pools: {}", kWhy));
    }
}

gateway::GatewayConfig gateway_config(const Settings& settings) {
    gateway::GatewayConfig config;
    config.connect_limit = settings.get_duration("ORCHESTRATORD_CONNECT_TIMEOUT_MS");
    config.first_byte_limit = settings.get_duration("ORCHESTRATORD_FIRST_BYTE_TIMEOUT_SECS");
    config.idle_limit = settings.get_duration("ORCHESTRATORD_IDLE_TIMEOUT_SECS");
    config.retry_budget.share =
        static_cast<double>(settings.get_number("ORCHESTRATORD_RETRY_BUDGET_PERCENT")) / 100;
    config.retry_attempts =
        static_cast<std::uint32_t>(settings.get_number("ORCHESTRATORD_RETRY_ATTEMPTS"));
    return config;
}

placement::PlacementPolicy placement_policy(SettingsRead& read) {
    placement::PlacementPolicy policy;
    const auto strategy =
        placement::strategy_from(read.settings.get_text("ORCHESTRATORD_PLACEMENT_STRATEGY"));
    if (strategy) {
        policy.strategy = *strategy;
    } else {
        read.errors.push_back(strategy.error().message);
    }
    policy.spread_by = read.settings.find_text("ORCHESTRATORD_PLACEMENT_SPREAD_BY").value_or("");
    policy.return_wait = read.settings.get_duration("ORCHESTRATORD_RETURN_WAIT_SECS");
    policy.seed = system_seed();
    return policy;
}

std::size_t edge_threads(const Settings& settings) {
    const std::uint64_t cores = std::max(1U, std::thread::hardware_concurrency());
    return settings.find_number("ORCHESTRATORD_EDGE_THREADS").value_or(cores);
}

void read_auth(ControlConfig& config, SettingsRead& read) {
    auto tokens = auth::read_token_settings(read);
    config.outbound_token = tokens.outbound.reveal();
    auto proxy =
        auth::refuse_proxy_trust(read.settings.find_bool("TRUST_PROXY_AUTH").value_or(false));
    auto policy = auth::make_auth_policy({
        .require_setting = "ORCHESTRATORD_REQUIRE_AUTH",
        .require = read.settings.find_bool("ORCHESTRATORD_REQUIRE_AUTH"),
        .tokens = std::move(tokens.accepted),
        .bind = config.profile.bind,
        .allowed_origins = read.settings.get_list("ORCHESTRATORD_CORS_ORIGINS"),
    });
    if (!proxy) {
        read.errors.push_back(proxy.error().message);
    }
    if (policy) {
        config.auth = std::move(*policy);
    } else {
        read.errors.push_back(policy.error().message);
    }
}

}  // namespace

bool runs_home_node(const ControlConfig& config) {
    return config.profile.profile == Profile::home && config.static_nodes.empty();
}

ControlConfig make_control_config(SettingsRead& read, const SettingsSources& sources) {
    const Settings& settings = read.settings;
    ControlConfig config;
    config.profile = decide_profile(
        settings.find_bool("ORCHESTRATORD_CLOUD_PROFILE"),
        settings.find_address("ORCHESTRATORD_ADDR")
    );
    read_auth(config, read);
    config.tls = net::read_tls_settings(read, "ORCHESTRATORD");
    config.registry = registry_config(read);
    config.registry.home = config.profile.profile == Profile::home;
    config.poll_interval = settings.get_duration("ORCHESTRATORD_POOL_POLL_INTERVAL_MS");
    read_static_nodes(config, read);
    refuse_models_without_node(config, read);
    config.admission.capacity = settings.get_number("ORCHD_ADMISSION_CAPACITY");
    config.admission.queue_timeout = settings.get_duration("ORCHESTRATORD_QUEUE_TIMEOUT_SECS");
    config.placement = placement_policy(read);
    config.gateway = gateway_config(settings);
    config.gateway.node_timeout = config.registry.node_timeout;
    config.edge_threads = edge_threads(settings);
    const daemon::LogSettings log = daemon::read_log_settings(settings, "ORCHESTRATORD");
    config.log_level = log.level;
    config.log_format = log.format;
    config.access_log_sample = log.access_sample;
    config.state_dir = settings.find_text("ORCHESTRATORD_STATE_DIR")
                           .value_or(default_state_dir("orchestratord", sources.environment));
    return config;
}

}  // namespace orch::control::app
