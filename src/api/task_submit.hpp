#pragma once

#include "api/codec.hpp"
#include "api/labels.hpp"
#include "base/enums.hpp"
#include "base/json.hpp"
#include "base/strong_id.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What POST /v2/tasks and /v2/tasks/preview are sent. Pure; any thread.
namespace orch::api {

// Where a task may run.
struct TaskPlacement {
    std::optional<std::string> mode;    // pin | prefer | auto; absent: what the others say
    std::optional<PoolId> pin_pool_id;  // this pool only
    std::optional<NodeId> node_id;      // this node only
    std::vector<PoolId> prefer_pools;   // rather these
    std::vector<PoolId> avoid_pools;    // never these
    Labels labels;                      // only pools that carry them all, or whose nodes do
    std::optional<std::string> require_device_mask;
    std::optional<bool> allow_fallback;  // absent: a preference may be dropped, a pin may not
};

// Required: model_ref (or model), and exactly one of prompt, messages and inputs.
struct TaskSubmit {
    std::optional<std::string> task_id;  // 1 to 64 of A-Z a-z 0-9 . _ -; absent: one is made
    std::optional<std::string> session_id;
    std::optional<std::string> workload;   // completion | embedding | rerank; absent: by its input
    std::optional<std::string> model_ref;  // a served name or alias
    std::optional<std::string> model;      // the same
    std::optional<std::string> engine;     // only pools of this engine family
    std::optional<std::int64_t> ctx;       // tokens that must fit: 0 to 32768
    std::string priority = "interactive";  // or "batch"
    std::optional<std::int64_t> max_tokens;   // 1 to 50000; absent: the engine's own limit
    std::optional<std::int64_t> deadline_ms;  // how long it may wait for a slot, from now; above 0
    std::optional<std::int64_t> seed;
    std::optional<std::string> determinism;  // strict | best_effort: accepted; what counts is seed
    std::optional<std::string> sampler_profile_version;  // accepted
    std::optional<std::string> prompt;
    std::optional<std::vector<json::bj::value>> messages;
    std::optional<std::vector<std::string>> inputs;
    std::optional<std::string> query;             // of a rerank: what inputs are compared with
    std::optional<std::int64_t> expected_tokens;  // accepted
    std::optional<std::string> kv_hint;           // reuse | cold: read the prompt anew
    std::optional<std::string> output_mode;       // accepted
    double temperature = 0;
    double top_p = 1;
    std::optional<json::bj::value> stop;  // a text or at most 16 of them
    TaskPlacement placement;

    const std::string& model_name() const { return model_ref ? *model_ref : *model; }

    ModelKind kind() const;
};

// Errors: invalid_params, or deadline_unmet for a deadline_ms that is not above 0; naming the
// field. from_json() does the same.
Result<void> validate(const TaskSubmit& message);

template <>
Result<TaskSubmit> from_json(std::string_view text);

// What the engine is asked. A completion is streamed and asks for its usage.
struct EngineCall {
    std::string path;
    std::string body;
};

// Requires: validate() passed.
EngineCall make_engine_call(const TaskSubmit& message);

BOOST_DESCRIBE_STRUCT(
    TaskPlacement,
    (),
    (mode,
     pin_pool_id,
     node_id,
     prefer_pools,
     avoid_pools,
     labels,
     require_device_mask,
     allow_fallback)
)
BOOST_DESCRIBE_STRUCT(
    TaskSubmit,
    (),
    (task_id,
     session_id,
     workload,
     model_ref,
     model,
     engine,
     ctx,
     priority,
     max_tokens,
     deadline_ms,
     seed,
     determinism,
     sampler_profile_version,
     prompt,
     messages,
     inputs,
     query,
     expected_tokens,
     kv_hint,
     output_mode,
     temperature,
     top_p,
     stop,
     placement)
)

}  // namespace orch::api
