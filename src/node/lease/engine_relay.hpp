#pragma once

#include "base/log.hpp"
#include "net/client_exchange.hpp"
#include "net/route_table.hpp"
#include "node/lease/lease.hpp"
#include "node/lease/lingering.hpp"

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>

namespace orch::node::lease {

// The node's data path: leases a slot and carries a request to its engine and the answer back,
// byte for byte. One per edge; the edge's thread.
class EngineRelay {
public:
    // A connection to this replica was refused.
    using OnRefused = std::function<void(const PoolId&, const ReplicaId&)>;

    EngineRelay(net::Edge& edge, OnRefused on_refused, Logger log);

    void set_view(std::shared_ptr<const lifecycle::PoolsView> view) { view_ = std::move(view); }

    const lifecycle::PoolsView& view() const { return *view_; }

    // Handler of /v2/pools/{id}/engine/{path...}.
    Task<void> serve(net::Exchange& exchange);

    // Ends the relays to a replica that was told to stop: it waits for its clients to leave.
    void close_relays(const PoolId& pool, const ReplicaId& replica);

private:
    struct Live {
        PoolId pool;
        ReplicaId replica;
        net::ClientExchange* upstream;
    };

    Result<Lease> lease_for(const net::Exchange& exchange, const std::string& path);
    net::ClientRequest engine_request(
        const net::Exchange& exchange, const Lease& lease, const std::string& path
    ) const;
    Task<void> carry(net::Exchange& exchange, Lease lease, std::string path);
    Task<void> carry_answer(net::Exchange& exchange, net::ClientExchange& upstream, Lease& lease);
    Error failure_of(const Lease& lease, net::UpstreamFailure failure);

    net::Edge& edge_;
    OnRefused on_refused_;
    Logger log_;
    Lingering lingering_;
    std::shared_ptr<const lifecycle::PoolsView> view_;
    std::list<Live> live_;
};

}  // namespace orch::node::lease
