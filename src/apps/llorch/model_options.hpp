#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orch::llorch {

enum class ModelAction { list, show, stage, verify, remove, availability };

// What `llorch model` is asked for.
struct ModelOptions {
    ModelAction action = ModelAction::list;
    std::string model;              // an id; of stage also a path on the nodes or a URL
    std::optional<std::string> id;  // of stage
    std::optional<std::string> digest;
    std::vector<std::string> nodes;  // of stage and remove; of remove also "all"
    std::optional<std::uint32_t> replicas;
    bool no_wait = false;  // of stage and verify
};

}  // namespace orch::llorch
