#pragma once

#include "async/event_loop.hpp"
#include "async/offload.hpp"
#include "async/task_group.hpp"
#include "net/route_table.hpp"
#include "node/app/node_facts.hpp"
#include "node/enroll/beat_sequence.hpp"
#include "node/lease/engine_relay.hpp"
#include "node/models/model_store.hpp"
#include "node/supervisor/supervisor.hpp"

#include <functional>
#include <string>

// The node's routes. Handlers run on the edge; what the control thread owns they ask for there.
namespace orch::node::app {

struct RouteContext {
    async::EventLoop& control;
    const NodeFacts& facts;
    const NodeConfig& config;
    lease::EngineRelay& relay;
    enroll::BeatSequence& sequence;        // control thread
    std::function<std::string()> address;  // as advertised; control thread
    models::ModelStore& models;            // control thread
    supervisor::Supervisor& supervisor;    // control thread
    async::TaskGroup& tasks;               // of the control thread
    async::BlockingPool& file_threads;     // for reading model files
    std::function<std::string()> metrics;  // in Prometheus' text format; any thread
};

void add_pool_routes(net::RouteTable& routes, RouteContext& context);
void add_node_routes(net::RouteTable& routes, RouteContext& context);
void add_model_routes(net::RouteTable& routes, RouteContext& context);
void add_engine_routes(net::RouteTable& routes, RouteContext& context);

}  // namespace orch::node::app
