#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/inventory/gpu.hpp"
#include "node/lifecycle/pool_spec.hpp"
#include "node/supervisor/model_facts.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

// Whether an engine finds room on the GPUs. Pure.
namespace orch::node::supervisor {

// What one replica of the pool takes of its GPUs' memory, estimated; 0 when it runs on the CPU, or
// on GPUs of which none tells its memory. What further flags add (a draft model, a projector) is
// not known here.
Bytes replica_vram_need(
    const lifecycle::PoolSpec& spec, const ModelFacts& model, std::span<const inventory::Gpu> gpus
);

// Memory that a pool takes, or is about to.
struct VramClaim {
    PoolId pool;
    std::optional<std::vector<std::string>> devices;  // as in its spec
    Bytes bytes = 0;
};

// Whether `wanted` fits into the free memory of its GPUs, beside what `others`, whose engines are
// being loaded, will take of them: what a half-loaded engine uses already counts twice, since
// nobody tells the halves apart. GPUs that do not tell their memory refuse nobody.
// Errors: pool_unavailable with the figures.
Result<void> check_room(
    const VramClaim& wanted, std::span<const inventory::Gpu> gpus, std::span<const VramClaim> others
);

}  // namespace orch::node::supervisor
