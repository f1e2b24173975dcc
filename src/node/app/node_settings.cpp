#include "base/version.hpp"
#include "daemon/common_settings.hpp"
#include "net/tls_settings.hpp"
#include "node/app/node_config.hpp"

#include <utility>

namespace orch::node::app {
namespace {

using Kind = SettingKind;

std::vector<Setting> place_settings() {
    return {
        {.name = "POOL_MANAGERD_ADDR",
         .kind = Kind::address,
         .help = "Where to listen.",
         .fallback_note = "127.0.0.1:9200, or 0.0.0.0:9200 when ORCHESTRATORD_URL is set"},
        {.name = "POOL_MANAGERD_NODE_ID",
         .help = "This node's name in the cluster.",
         .fallback_note = "the host name"},
        {.name = "POOL_MANAGERD_MACHINE_ID",
         .help = "The physical machine behind the node.",
         .fallback_note = "the node id"},
        {.name = "POOL_MANAGERD_LABELS",
         .kind = Kind::list,
         .help = "Labels of this machine, `name=value` each: zone=a, tier=fast. A pool's own come "
                 "first."},
        {.name = "POOL_MANAGERD_ADDRESS",
         .kind = Kind::url,
         .help = "The URL at which the control plane reaches this node.",
         .fallback_note = "the local address of the connection to the control plane"},
        {.name = "POOL_MANAGERD_STATE_DIR",
         .kind = Kind::path,
         .help = "Folder for what must survive a restart: run records and engine logs.",
         .fallback_note = "/var/lib/llama-orch/pool-managerd as root, else "
                          "$XDG_STATE_HOME/llama-orch/pool-managerd"},
        {.name = "POOL_MANAGERD_GPU_DISCOVERY_INTERVAL_MS",
         .kind = Kind::duration,
         .fallback = "10000",
         .help = "How often the GPUs are looked at."},
    };
}

std::vector<Setting> cluster_settings() {
    return {
        {.name = "ORCHESTRATORD_URL",
         .kind = Kind::url_list,
         .help = "Control planes to register with."},
        {.name = "ORCHESTRATORD_REGISTER_ON_STARTUP",
         .kind = Kind::boolean,
         .fallback = "true",
         .help = "false: the node waits to be added by hand."},
        {.name = "POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS",
         .kind = Kind::duration,
         .fallback = "10",
         .help = "How often to send a heartbeat, if the control plane does not want it sooner.",
         .live = true},
        {.name = "POOL_MANAGERD_CALLBACK_ENABLED",
         .kind = Kind::boolean,
         .fallback = "true",
         .help = "Whether a change of readiness is sent at once."},
    };
}

std::vector<Setting> engine_settings() {
    return {
        {.name = "model", .kind = Kind::path, .help = "A GGUF file to serve, as pool `default`."},
        {.name = "models",
         .kind = Kind::path,
         .help = "A folder of GGUF files: a pool of each, at rest until it is asked for."},
        {.name = "POOL_MANAGERD_ENGINE_BINARY",
         .kind = Kind::path,
         .help = "The llama-server to start.",
         .aliases = {{.name = "LLAMA_SERVER"}},
         .fallback_note = "llama-server on PATH"},
        {.name = "POOL_MANAGERD_KEEP_ENGINES",
         .kind = Kind::boolean,
         .fallback = "false",
         .help = "Whether the engines go on running when the daemon is stopped, for its next start "
                 "to adopt."},
        {.name = "POOL_MANAGERD_MODEL_DIR",
         .kind = Kind::path,
         .fallback = "models",
         .help = "Folder of the model store; relative to the state folder."},
        {.name = "POOL_MANAGERD_RUNTIME_DIR",
         .kind = Kind::path,
         .fallback = ".runtime/engines",
         .help = "Folder of handoff files; relative to the state folder."},
        {.name = "POOL_MANAGERD_WATCH_INTERVAL_MS",
         .kind = Kind::duration,
         .fallback = "1000",
         .help = "How often the handoff folder is read, besides being watched."},
        {.name = "POOL_MANAGERD_AUTO_DELETE_HANDOFF",
         .kind = Kind::boolean,
         .fallback = "true",
         .help = "Whether a handoff file that was taken in is removed."},
    };
}

std::vector<Setting> common_settings() {
    return daemon::common_settings("POOL_MANAGERD", "control planes");
}

}  // namespace

SettingsTable node_settings() {
    SettingsTable table{
        .program = "pool-managerd",
        .version = std::string(program_version()),
        .summary = "Runs on each GPU machine: starts and watches engines and joins the cluster.",
        .prefixes = {"POOL_MANAGERD_", "LLORCH_"},
        .settings = {},
        .sections =
            {{.key = "pools", .help = "The pools of this machine.", .redacted_keys = {"env"}}},
    };
    for (auto* group : {place_settings, cluster_settings, engine_settings, common_settings}) {
        for (Setting& setting : group()) {
            table.settings.push_back(std::move(setting));
        }
    }
    for (Setting& setting : net::tls_settings("POOL_MANAGERD")) {
        table.settings.push_back(std::move(setting));
    }
    return table;
}

}  // namespace orch::node::app
