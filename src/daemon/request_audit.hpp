#pragma once

#include "audit/audit_log.hpp"
#include "net/exchange.hpp"

#include <mutex>

namespace orch::daemon {

// Tells the audit log of the requests that belong there: refused callers (401 and 403), nodes that
// register or leave, and every other change through a route of the cluster's token. Heartbeats and
// reads do not. For a server's observer, on any edge.
class RequestAudit {
public:
    // A stranger who tries tokens shall not fill the disk: refusals beyond so many a minute are
    // counted in the next one that is written.
    static constexpr int kRefusalsPerMinute = 60;

    RequestAudit(audit::AuditLog& log, const Clock& clock) : log_(log), clock_(clock) {}

    void observe(const net::Exchange& exchange);

private:
    bool admit_refusal(audit::Event& event);

    audit::AuditLog& log_;
    const Clock& clock_;
    std::mutex mutex_;  // of refusals only
    Instant window_{};
    int refusals_ = 0;
    int left_out_ = 0;
};

}  // namespace orch::daemon
