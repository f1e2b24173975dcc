#pragma once

namespace orch::auth {

// Who may call a route.
enum class AuthClass {
    open,     // everybody: probes, metrics, static files, pre-flights
    client,   // whoever may send work: a client key or the cluster token
    cluster,  // nodes and operators: the cluster token only
};

}  // namespace orch::auth
