#include "control/gateway/answer_probe.hpp"

namespace orch::control::gateway {
namespace {

double ms(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

AnswerProbe::AnswerProbe(metrics::Registry& registry, std::size_t edges) {
    for (std::size_t i = 0; i < edges; ++i) {
        edges_.push_back(make_families(registry.add_shard()));
    }
}

AnswerProbe::Families AnswerProbe::make_families(metrics::Shard& shard) {
    const std::vector<std::string> of_pool{
        "node_id", "engine", "engine_version", "pool_id", "priority"
    };
    const std::vector<std::string> of_replica{
        "node_id", "engine", "engine_version", "pool_id", "replica_id"
    };
    return {
        shard.histogram(
            {.name = "latency_first_token_ms",
             .help = "From a streamed request's arrival to its first token.",
             .labels = of_pool,
             .bounds = {50, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000}}
        ),
        shard.histogram(
            {.name = "latency_decode_ms",
             .help = "From a stream's first token to its end.",
             .labels = of_pool,
             .bounds = {250, 500, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000}}
        ),
        shard.counter(
            {.name = "tokens_in_total",
             .help = "Prompt tokens, as the engine counts them.",
             .labels = of_replica}
        ),
        shard.counter(
            {.name = "tokens_out_total",
             .help = "Generated tokens, as the engine counts them; those seen when it does not.",
             .labels = of_replica}
        ),
    };
}

void AnswerProbe::answered(
    std::size_t edge,
    const view::PoolBlock& pool,
    std::string_view replica,
    std::string_view priority,
    const AnswerMeter& meter,
    Instant arrived
) {
    const Families& families = edges_[edge];
    const std::string_view node = pool.key.node.str();
    const std::string_view engine = to_string(pool.engine);
    const std::string_view id = pool.key.pool.str();
    const std::string_view version = pool.engine_version;
    if (meter.first_token()) {
        families.first_token.with({node, engine, version, id, priority})
            ->observe(ms(*meter.first_token() - arrived));
    }
    if (meter.decode_time()) {
        families.decode.with({node, engine, version, id, priority})
            ->observe(ms(*meter.decode_time()));
    }
    const engine::Usage usage = meter.usage();
    if (usage.tokens_in) {
        families.tokens_in.with({node, engine, version, id, replica})->add(*usage.tokens_in);
    }
    if (usage.tokens_out) {
        families.tokens_out.with({node, engine, version, id, replica})->add(*usage.tokens_out);
    }
}

}  // namespace orch::control::gateway
