#pragma once

#include "base/strong_id.hpp"
#include "metrics/registry.hpp"

#include <string_view>

namespace orch::control::fleet {

// How often nodes were asked to load a pool because requests wait for it. Control thread.
class LoadProbe {
public:
    explicit LoadProbe(metrics::Registry& registry);

    // `outcome`: accepted, refused (the node says why) or error (it did not answer).
    void asked(const PoolKey& pool, std::string_view outcome);

private:
    metrics::Shard& shard_;
    metrics::Family<metrics::Counter>& loads_;
};

}  // namespace orch::control::fleet
