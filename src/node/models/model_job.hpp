#pragma once

#include "node/models/model_store.hpp"

namespace orch::node::models {

// One staging or verification under way.
struct ModelStore::Job {
    std::string operation;
    std::string kind;
    std::string id;
    Bytes done = 0;
    Bytes total = 0;
    bool cancelled = false;
    ModelFetch* fetch = nullptr;

    bool stages() const { return kind == "model.stage"; }
};

}  // namespace orch::node::models
