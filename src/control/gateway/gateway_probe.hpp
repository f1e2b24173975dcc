#pragma once

#include "base/clock.hpp"
#include "base/errc.hpp"
#include "base/strong_id.hpp"
#include "control/admission/priority.hpp"
#include "control/view/node_block.hpp"
#include "metrics/registry.hpp"

#include <string_view>

namespace orch::control::gateway {

// What becomes of requests, those of /v1 and tasks alike. One per thread that counts.
class GatewayProbe {
public:
    explicit GatewayProbe(metrics::Registry& registry);

    // Admitted: it has a slot or waits for one. `model`: the name of its queue.
    void enqueued(std::string_view model, admission::Priority priority);

    // A place took it, for the first time, so long after it came.
    void started(const view::PoolBlock& pool, admission::Priority priority, Duration waited);

    // A place that had a slot for it took it, or failed.
    void dispatched(const PoolKey& pool, bool success);

    // Whoever asked left before the end. `pool`: where it ran; nullptr before that.
    void canceled(const view::PoolBlock* pool, std::string_view reason);

    // A place failed it: `kind` is retry or continuation; `outcome` is tried, over_budget, or
    // impossible for an answer that cannot be continued.
    void second_try(std::string_view kind, std::string_view outcome);

    // It ended with this error before any place took it.
    void rejected(Errc reason);

private:
    metrics::Shard& shard_;
    metrics::Family<metrics::Counter>& enqueued_;
    metrics::Family<metrics::Counter>& started_;
    metrics::Family<metrics::Counter>& canceled_;
    metrics::Family<metrics::Counter>& rejected_;
    metrics::Family<metrics::Counter>& second_tries_;
    metrics::Family<metrics::Counter>& admissions_;
    metrics::Family<metrics::Counter>& refusals_;
    metrics::Family<metrics::Counter>& dispatches_;
    metrics::Family<metrics::Histogram>& latency_;
};

}  // namespace orch::control::gateway
