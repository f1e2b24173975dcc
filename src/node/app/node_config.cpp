#include "node/app/node_config.hpp"

#include "api/http_address.hpp"
#include "api/labels.hpp"
#include "auth/token_settings.hpp"
#include "base/state_dir.hpp"
#include "daemon/common_settings.hpp"
#include "net/tls_settings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace orch::node::app {
namespace {

constexpr std::uint16_t kPort = 9200;

std::string host_name() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "node";
}

void read_identity(NodeConfig& config, SettingsRead& read) {
    const Settings& settings = read.settings;
    const std::string node = settings.find_text("POOL_MANAGERD_NODE_ID").value_or(host_name());
    config.node_id = NodeId(node);
    config.machine_id = MachineId(settings.find_text("POOL_MANAGERD_MACHINE_ID").value_or(node));
    for (const auto& [name, value] :
         {std::pair("POOL_MANAGERD_NODE_ID", node),
          std::pair("POOL_MANAGERD_MACHINE_ID", config.machine_id.str())}) {
        if (!valid_id(value)) {
            read.errors.push_back(
                fmt::format("{}: '{}' is not of the form [A-Za-z0-9._-]{{1,64}}", name, value)
            );
        }
    }
}

void read_node_labels(NodeConfig& config, SettingsRead& read) {
    constexpr const char* kName = "POOL_MANAGERD_LABELS";
    auto labels = api::read_labels(read.settings.get_list(kName), kName);
    if (!labels) {
        read.errors.push_back(labels.error().message);
        return;
    }
    config.labels = std::move(*labels);
    for (const char* name : {"node_id", "machine_id"}) {
        if (config.labels.contains(name)) {
            read.errors.push_back(
                fmt::format("{}: every node has a label '{}' already", kName, name)
            );
        }
    }
}

// Whether the URL is one, and if `tls` is given, of that scheme.
void check_url(
    SettingsRead& read, const std::string& name, const std::string& url, std::optional<bool> tls
) {
    const auto address = api::parse_http_address(url, name);
    if (!address) {
        read.errors.push_back(address.error().message);
    } else if (tls && address->tls && !*tls) {
        read.errors.push_back(fmt::format(
            "{}: {} needs TLS: set POOL_MANAGERD_TLS_CERT and POOL_MANAGERD_TLS_KEY, or use "
            "http://",
            name,
            url
        ));
    } else if (tls && !address->tls && *tls) {
        read.errors.push_back(fmt::format(
            "{}: {} is plain HTTP, but POOL_MANAGERD_TLS_CERT is set: use https://", name, url
        ));
    }
}

// Over https a node hears from the control plane what nobody on the way may read; what it then
// says and is asked in plain HTTP would give the token and the prompts away.
void want_tls_both_ways(const NodeConfig& config, SettingsRead& read) {
    if (!config.tls.cert.empty() || is_loopback_host(config.bind.host)) {
        return;
    }
    for (const std::string& url : config.orchestratord_urls) {
        if (url.starts_with("https://")) {
            read.errors.push_back(fmt::format(
                "ORCHESTRATORD_URL: {} needs TLS on this node too, which listens in plain HTTP on "
                "{}: set POOL_MANAGERD_TLS_CERT and POOL_MANAGERD_TLS_KEY, or use http:// both "
                "ways",
                url,
                to_string(config.bind)
            ));
        }
    }
}

void read_cluster(NodeConfig& config, SettingsRead& read) {
    const Settings& settings = read.settings;
    config.orchestratord_urls = settings.get_list("ORCHESTRATORD_URL");
    for (const std::string& url : config.orchestratord_urls) {
        check_url(read, "ORCHESTRATORD_URL", url, std::nullopt);
    }
    config.advertised_address = settings.find_text("POOL_MANAGERD_ADDRESS").value_or("");
    if (!config.advertised_address.empty()) {
        const bool tls = settings.given("POOL_MANAGERD_TLS_CERT");
        check_url(read, "POOL_MANAGERD_ADDRESS", config.advertised_address, tls);
    }
    config.register_on_startup = settings.get_bool("ORCHESTRATORD_REGISTER_ON_STARTUP");
    config.heartbeat_interval = settings.get_duration("POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS");
    config.callback_enabled = settings.get_bool("POOL_MANAGERD_CALLBACK_ENABLED");
    const bool joins = !config.orchestratord_urls.empty();
    config.bind = settings.find_address("POOL_MANAGERD_ADDR")
                      .value_or(HostPort{joins ? "0.0.0.0" : "127.0.0.1", kPort});
}

void read_auth(NodeConfig& config, SettingsRead& read) {
    auth::Tokens tokens = auth::read_token_settings(read);
    config.outbound_token = tokens.outbound.reveal();
    const bool trusts_proxy = read.settings.find_bool("TRUST_PROXY_AUTH").value_or(false);
    if (auto refused = auth::refuse_proxy_trust(trusts_proxy); !refused) {
        read.errors.push_back(refused.error().message);
    }
    auto policy = auth::make_auth_policy({
        .require_setting = "POOL_MANAGERD_REQUIRE_AUTH",
        .require = read.settings.find_bool("POOL_MANAGERD_REQUIRE_AUTH"),
        .tokens = std::move(tokens.accepted),
        .bind = config.bind,
        .allowed_origins = {},
    });
    if (policy) {
        config.auth = std::move(*policy);
    } else {
        read.errors.push_back(policy.error().message);
    }
}

void read_folders(NodeConfig& config, const SettingsRead& read, const SettingsSources& sources) {
    const Settings& settings = read.settings;
    config.state_dir = settings.find_text("POOL_MANAGERD_STATE_DIR")
                           .value_or(default_state_dir("pool-managerd", sources.environment));
    // An absolute folder stays as it is: that is what operator/ does.
    config.runtime_dir = config.state_dir / settings.get_text("POOL_MANAGERD_RUNTIME_DIR");
    config.model_dir = config.state_dir / settings.get_text("POOL_MANAGERD_MODEL_DIR");
    config.watch_interval = settings.get_duration("POOL_MANAGERD_WATCH_INTERVAL_MS");
    config.auto_delete_handoff = settings.get_bool("POOL_MANAGERD_AUTO_DELETE_HANDOFF");
}

void read_logging(NodeConfig& config, const Settings& settings) {
    const daemon::LogSettings log = daemon::read_log_settings(settings, "POOL_MANAGERD");
    config.log_level = log.level;
    config.log_format = log.format;
    config.access_log_sample = log.access_sample;
}

std::string own_path() {
    std::array<char, 4096> path{};
    const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
    return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : "";
}

}  // namespace

NodeConfig make_node_config(SettingsRead& read, const SettingsSources& sources) {
    NodeConfig config;
    read_identity(config, read);
    read_node_labels(config, read);
    read_cluster(config, read);
    read_auth(config, read);
    config.tls = net::read_tls_settings(read, "POOL_MANAGERD");
    want_tls_both_ways(config, read);
    read_folders(config, read, sources);
    read_logging(config, read.settings);
    config.engine_binary = read.settings.find_text("POOL_MANAGERD_ENGINE_BINARY");
    config.keep_engines = read.settings.get_bool("POOL_MANAGERD_KEEP_ENGINES");
    config.program_path = own_path();
    config.environment = sources.environment;
    config.pools = read_pools(read);
    config.gpu_interval = read.settings.get_duration("POOL_MANAGERD_GPU_DISCOVERY_INTERVAL_MS");
    return config;
}

}  // namespace orch::node::app
