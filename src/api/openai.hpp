#pragma once

#include "api/codec.hpp"
#include "base/result.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orch::api {

// What this cluster knows about a model beyond OpenAI's list.
struct ModelExtras {
    std::uint32_t ready_pools = 0;
    std::uint32_t nodes = 0;           // Online nodes that list it
    std::optional<std::uint32_t> ctx;  // tokens per slot, the largest of its pools
};

// One element of GET /v1/models.
struct ModelEntry {
    std::string id;
    std::string object = "model";
    std::int64_t created = 0;  // Unix seconds
    std::string owned_by = "llama-orch";
    ModelExtras llorch;
};

struct ModelList {
    std::string object = "list";
    std::vector<ModelEntry> data;
};

template <>
Result<ModelList> from_json(std::string_view text);
std::string to_json(const ModelList& message);
std::string to_json(const ModelEntry& message);

BOOST_DESCRIBE_STRUCT(ModelExtras, (), (ready_pools, nodes, ctx))
BOOST_DESCRIBE_STRUCT(ModelEntry, (), (id, object, created, owned_by, llorch))
BOOST_DESCRIBE_STRUCT(ModelList, (), (object, data))

}  // namespace orch::api
