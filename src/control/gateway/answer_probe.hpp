#pragma once

#include "base/clock.hpp"
#include "control/gateway/answer_meter.hpp"
#include "control/view/node_block.hpp"
#include "metrics/registry.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace orch::control::gateway {

// The metrics of answers: tokens and how long they took. Each edge writes to a shard of its own.
class AnswerProbe {
public:
    AnswerProbe(metrics::Registry& registry, std::size_t edges);

    // An answer of this pool has ended, in whatever way; `arrived` is when its request came.
    // `replica` is empty when the node does not name it. On the thread of the edge of this index.
    void answered(
        std::size_t edge,
        const view::PoolBlock& pool,
        std::string_view replica,
        std::string_view priority,
        const AnswerMeter& meter,
        Instant arrived
    );

private:
    struct Families {
        metrics::Family<metrics::Histogram>& first_token;
        metrics::Family<metrics::Histogram>& decode;
        metrics::Family<metrics::Counter>& tokens_in;
        metrics::Family<metrics::Counter>& tokens_out;
    };

    static Families make_families(metrics::Shard& shard);

    std::vector<Families> edges_;
};

}  // namespace orch::control::gateway
