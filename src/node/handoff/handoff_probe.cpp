#include "node/handoff/handoff_probe.hpp"

namespace orch::node::handoff {
namespace {

double ms(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

HandoffProbe::HandoffProbe(metrics::Registry& registry, const NodeId& node)
    : node_(node.str()),
      shard_(registry.add_shard()),
      files_(shard_.counter(
          {.name = "pool_handoff_files_processed_total",
           .help = "Handoff files dealt with: success (the engine is bound), refused, malformed or "
                   "ignored.",
           .labels = {"node_id", "pool_id", "outcome"}}
      )),
      duration_(shard_.histogram(
          {.name = "pool_handoff_processing_duration_ms",
           .help = "From the last change of a handoff file until its engine was bound.",
           .labels = {"node_id", "pool_id"},
           .bounds = {10, 25, 50, 100, 250, 500, 1000, 1500, 2000, 3000, 5000, 10000}}
      )),
      last_scan_(shard_.gauge(
          {.name = "pool_handoff_last_scan_timestamp_seconds",
           .help = "When the handoff folder was looked through last, as Unix time.",
           .labels = {"node_id"}}
      )) {
    for (const char* const outcome : {"refused", "malformed", "ignored"}) {
        files_.with({node_, metrics::kOther, outcome});
    }
}

void HandoffProbe::expect(const PoolId& pool) {
    files_.with({node_, pool.str(), "success"});
    duration_.with({node_, pool.str()});
}

void HandoffProbe::scanned(WallTime at) {
    last_scan_.with({node_})->set(static_cast<double>(unix_ms(at)) / 1000);
}

void HandoffProbe::taken_in(const PoolId& pool, Duration age) {
    count(pool.str(), "success");
    duration_.with({node_, pool.str()})->observe(ms(age));
}

void HandoffProbe::refused() {
    count(metrics::kOther, "refused");
}

void HandoffProbe::malformed() {
    count(metrics::kOther, "malformed");
}

void HandoffProbe::ignored() {
    count(metrics::kOther, "ignored");
}

void HandoffProbe::count(std::string_view pool, std::string_view outcome) {
    files_.with({node_, pool, outcome})->add();
}

}  // namespace orch::node::handoff
