#pragma once

#include "base/host_port.hpp"
#include "base/settings.hpp"
#include "control/app/control_config.hpp"
#include "node/app/node_config.hpp"

namespace orch {

// The node that HOME runs in this process, as its settings describe it: the POOL_MANAGERD_* of the
// environment, --model and the `pools:` of the settings file. It listens on a private loopback
// port and shares a token with the control plane that exists in memory only. What is wrong is
// added to `read.errors`; `control` gets its side of the token.
node::app::NodeConfig make_home_node(
    SettingsRead& read, const SettingsSources& sources, control::app::ControlConfig& control
);

// Tells the node where its control plane came to listen.
void join_control_plane(node::app::NodeConfig& node, const HostPort& control_plane);

}  // namespace orch
