#pragma once

#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "async/task.hpp"
#include "auth/live_auth.hpp"
#include "base/clock.hpp"
#include "control/view/node_block.hpp"
#include "net/client_pool.hpp"

#include <optional>
#include <string>
#include <vector>

namespace orch::control::fleet {

// What came of asking a node how it is.
struct StatusAnswer {
    enum class Outcome { success, error, timeout };

    Outcome outcome = Outcome::error;
    std::string reason;                       // why it is no success; begins with the address
    std::optional<api::NodeStatusBody> body;  // absent: a node of the earlier wire format answered
    std::vector<api::PoolStatus> pools;       // that node's, as far as they were asked for
};

// Asks nodes how they are. Control thread.
class NodeStatusSource {
public:
    NodeStatusSource() = default;
    virtual ~NodeStatusSource() = default;
    NodeStatusSource(const NodeStatusSource&) = delete;
    NodeStatusSource& operator=(const NodeStatusSource&) = delete;

    // `pools`: those to ask a node for that cannot tell all in one.
    virtual Task<StatusAnswer> ask(view::Endpoint endpoint, std::vector<PoolId> pools) = 0;
};

// Asks over HTTP: `GET /v2/node`; a node that does not know it (404) is asked for `/health`, and
// then for `/pools/{id}/status` of each pool. Control thread.
class NodeStatusClient final : public NodeStatusSource {
public:
    // For everything together: long enough for a busy machine, short enough to be a sign.
    static constexpr Duration kLimit = std::chrono::seconds(2);

    NodeStatusClient(net::ClientPool& clients, const auth::OutboundToken& token)
        : clients_(clients), token_(token) {}

    Task<StatusAnswer> ask(view::Endpoint endpoint, std::vector<PoolId> pools) override;

private:
    struct Got;

    Task<Got> get(view::Endpoint endpoint, std::string path, Instant end);
    Task<StatusAnswer> ask_earlier(view::Endpoint endpoint, std::vector<PoolId> pools, Instant end);

    net::ClientPool& clients_;
    const auth::OutboundToken& token_;
};

}  // namespace orch::control::fleet
