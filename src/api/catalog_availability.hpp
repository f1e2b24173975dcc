#pragma once

#include "api/codec.hpp"
#include "base/strong_id.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

// GET /v2/catalog/availability: which node has which model.
namespace orch::api {

struct PoolAvailability {
    PoolId pool_id;
    bool ready = false;
    std::vector<std::string> models;  // served name and aliases
};

struct NodeAvailability {
    NodeId node_id;
    std::string address;
    bool online = false;
    std::vector<std::string> models;  // of its pools, and ready files of its store; sorted
    std::vector<PoolAvailability> pools;
};

struct ModelAvailability {
    std::string model_id;
    std::vector<NodeId> nodes;  // Online ones that have it; sorted
    std::size_t total_nodes = 0;
    std::uint64_t total_capacity = 0;  // slots of their pools that serve it
};

struct CatalogAvailability {
    std::map<std::string, NodeAvailability> nodes;  // all that are known, by id
    std::vector<ModelAvailability> models;          // by id
    std::size_t total_models = 0;
    std::vector<std::string> replicated_models;   // on two Online nodes or more
    std::vector<std::string> single_node_models;  // on one
};

template <>
Result<CatalogAvailability> from_json(std::string_view text);
std::string to_json(const CatalogAvailability& message);

BOOST_DESCRIBE_STRUCT(PoolAvailability, (), (pool_id, ready, models))
BOOST_DESCRIBE_STRUCT(NodeAvailability, (), (node_id, address, online, models, pools))
BOOST_DESCRIBE_STRUCT(ModelAvailability, (), (model_id, nodes, total_nodes, total_capacity))
BOOST_DESCRIBE_STRUCT(
    CatalogAvailability, (), (nodes, models, total_models, replicated_models, single_node_models)
)

}  // namespace orch::api
