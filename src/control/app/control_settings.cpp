#include "base/version.hpp"
#include "control/app/control_config.hpp"
#include "daemon/common_settings.hpp"
#include "net/tls_settings.hpp"

#include <utility>

namespace orch::control::app {
namespace {

using Kind = SettingKind;

constexpr std::uint64_t kMaxEdges = 256;

std::vector<Setting> address_settings() {
    return {
        {.name = "ORCHESTRATORD_ADDR",
         .kind = Kind::address,
         .help = "Where to listen.",
         .aliases = {{.name = "ORCHD_ADDR"}, {.name = "ORCHESTRATORD_BIND_ADDR"}},
         .fallback_note = "127.0.0.1:8080, or 0.0.0.0:8080 when the cloud profile is set"},
        {.name = "ORCHESTRATORD_CLOUD_PROFILE",
         .kind = Kind::boolean,
         .help = "true: nodes join over HTTP; false: the node runs in this process.",
         .fallback_note = "true when the address is given and not loopback"},
        {.name = "ORCHESTRATORD_STATE_DIR",
         .kind = Kind::path,
         .help = "Folder for what must survive a restart.",
         .fallback_note = "/var/lib/llama-orch/orchestratord as root, else "
                          "$XDG_STATE_HOME/llama-orch/orchestratord"},
        {.name = "ORCHESTRATORD_EDGE_THREADS",
         .kind = Kind::number,
         .help = "Threads that carry requests.",
         .low = 1,
         .high = kMaxEdges,
         .unit = "threads",
         .fallback_note = "the number of cores"},
    };
}

std::vector<Setting> node_settings() {
    return {
        {.name = "ORCHESTRATORD_NODE_TIMEOUT_SECS",
         .kind = Kind::duration,
         .fallback = "30",
         .help = "A node that is silent for so long is Offline.",
         .live = true},
        {.name = "ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS",
         .kind = Kind::duration,
         .fallback = "10",
         .help = "How often nodes are told to send heartbeats.",
         .live = true},
        {.name = "ORCHESTRATORD_NODE_FORGET_SECS",
         .kind = Kind::duration,
         .fallback = "86400",
         .help = "A node that has been Offline for so long is forgotten.",
         .live = true},
        {.name = "ORCHESTRATORD_APPROVE_NODES",
         .kind = Kind::boolean,
         .fallback = "false",
         .help = "true: a node that registers gets no work until it is approved, once and for all."
        },
        {.name = "ORCHESTRATORD_STALE_CHECK_INTERVAL_SECS",
         .kind = Kind::duration,
         .help = "Accepted and not used: each node has a deadline of its own."},
        {.name = "ORCHESTRATORD_POOL_POLL_INTERVAL_MS",
         .kind = Kind::duration,
         .fallback = "5000",
         .help = "How often each node is asked how its pools are.",
         .live = true},
        {.name = "POOL_MANAGERD_URL",
         .kind = Kind::url,
         .help = "A pool-managerd that does not register: it is polled. HOME then starts no node."},
        {.name = "ORCHD_POOL_MANAGERS",
         .kind = Kind::url_list,
         .help = "More of them: nodes that are polled instead of registering."},
    };
}

std::vector<Setting> request_settings() {
    return {
        {.name = "ORCHESTRATORD_PLACEMENT_STRATEGY",
         .kind = Kind::text,  // names are judged by the policy, which knows more to say
         .fallback = "auto",
         .help = "How a pool is chosen among those that fit.",
         .choices = placement::strategy_names(),
         .live = true},
        {.name = "ORCHESTRATORD_PLACEMENT_SPREAD_BY",
         .kind = Kind::text,
         .help = "A label over whose values a model's work is spread: zone, or machine_id, which "
                 "every node has.",
         .fallback_note = "not spread",
         .live = true},
        {.name = "ORCHD_ADMISSION_CAPACITY",
         .kind = Kind::number,
         .fallback = "100",
         .help = "Requests that may wait for a slot, per served name.",
         .low = 0,
         .high = 1'000'000,
         .unit = "requests",
         .live = true},
        {.name = "ORCHD_ADMISSION_POLICY",
         .kind = Kind::choice,
         .fallback = "reject",
         .help = "What a full queue does with one more request.",
         .choices = {"reject"}},
        {.name = "ORCHESTRATORD_QUEUE_TIMEOUT_SECS",
         .kind = Kind::duration,
         .fallback = "60",
         .help = "How long a request may wait for a slot.",
         .live = true},
        {.name = "ORCHESTRATORD_RETURN_WAIT_SECS",
         .kind = Kind::duration,
         .fallback = "30",
         .help = "How long requests wait for a pool that was ready, as while its engine starts "
                 "again, counted from when it was; 0: they are refused at once.",
         .live = true},
        {.name = "ORCHESTRATORD_CONNECT_TIMEOUT_MS",
         .kind = Kind::duration,
         .fallback = "1000",
         .help = "How long a connection to a node may take.",
         .live = true},
        {.name = "ORCHESTRATORD_FIRST_BYTE_TIMEOUT_SECS",
         .kind = Kind::duration,
         .fallback = "600",
         .help = "How long an answer may take to begin.",
         .live = true},
        {.name = "ORCHESTRATORD_IDLE_TIMEOUT_SECS",
         .kind = Kind::duration,
         .fallback = "120",
         .help = "How long a stream may pause.",
         .live = true},
    };
}

std::vector<Setting> retry_settings() {
    return {
        {.name = "ORCHESTRATORD_RETRY_ATTEMPTS",
         .kind = Kind::number,
         .fallback = "2",
         .help = "Further places that are tried after one failed.",
         .low = 0,
         .high = 10,
         .unit = "attempts",
         .live = true},
        {.name = "ORCHESTRATORD_RETRY_BUDGET_PERCENT",
         .kind = Kind::number,
         .fallback = "10",
         .help = "Second tries and continued streams, of the requests of the last ten seconds; 20 "
                 "per edge thread are always allowed.",
         .low = 0,
         .high = 100,
         .unit = "percent",
         .live = true},
    };
}

std::vector<Setting> web_settings() {
    return {
        {.name = "ORCHESTRATORD_CORS_ORIGINS",
         .kind = Kind::list,
         .help = "Origins whose web pages may call without a token from this machine."},
    };
}

std::vector<Setting> common_settings() {
    return daemon::common_settings("ORCHESTRATORD", "nodes");
}

std::vector<Setting> home_settings() {
    return {
        {.name = "model",
         .kind = Kind::path,
         .help = "HOME: the GGUF file to serve, as pool `default`."},
        {.name = "models",
         .kind = Kind::path,
         .help = "HOME: a folder of GGUF files: a pool for each, loaded by the first request for "
                 "it."},
        {.name = "POOL_MANAGERD_ENGINE_BINARY",
         .kind = Kind::path,
         .help = "HOME: the llama-server to start.",
         .aliases = {{.name = "LLAMA_SERVER"}},
         .fallback_note = "llama-server on PATH"},
    };
}

}  // namespace

SettingsTable control_settings() {
    SettingsTable table{
        .program = "orchestratord",
        .version = std::string(program_version()),
        .summary = "The control plane: one OpenAI-compatible endpoint for all nodes.",
        .prefixes = {"ORCHESTRATORD_", "ORCHD_", "LLORCH_", "POOL_MANAGERD_"},
        .settings = {},
        .sections =
            {{.key = "pools", .help = "HOME: the pools of this machine.", .redacted_keys = {"env"}}
            },
    };
    for (auto* group :
         {address_settings,
          node_settings,
          request_settings,
          retry_settings,
          web_settings,
          common_settings,
          home_settings}) {
        for (Setting& setting : group()) {
            table.settings.push_back(std::move(setting));
        }
    }
    for (Setting& setting : net::tls_settings("ORCHESTRATORD")) {
        table.settings.push_back(std::move(setting));
    }
    return table;
}

}  // namespace orch::control::app
