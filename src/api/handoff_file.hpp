#pragma once

#include "base/enums.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The message by which an engine that somebody started is handed to the node:
// `<runtime dir>/<pool_id>-<replica_id>.json`. Pure; any thread.
namespace orch::api {

struct HandoffModel {
    std::optional<std::string> id;
    std::optional<std::string> path;
};

struct HandoffFile {
    PoolId pool_id;                                // required
    ReplicaId replica_id;                          // required
    EngineFamily engine = EngineFamily::llamacpp;  // required
    std::string url;                               // required: http(s)://host:port
    std::optional<std::string> engine_version;
    std::optional<std::string> device_mask;    // "0", "0,1", "GPU0"
    std::optional<std::uint32_t> slots_total;  // `slots` is read as this when it is absent
    std::optional<std::uint32_t> slots_free;   // at most slots_total
    std::optional<std::int64_t> pid;
    std::optional<std::string> provisioning_mode;
    std::optional<HandoffModel> model;
    std::vector<std::string> flags;  // the engine's command line
};

struct HandoffRejection {
    enum class Kind {
        malformed,     // no JSON, or a handoff file with a missing or wrong field
        other_schema,  // JSON that names none of the required fields: not meant for us
    };
    Kind kind = Kind::malformed;
    std::string reason;  // names the field
};

std::expected<HandoffFile, HandoffRejection> parse_handoff_file(std::string_view text);

// Errors: invalid_params naming the field.
Result<void> validate(const HandoffFile& file);

// Writes `slots` too, for readers of the earlier format.
std::string to_json(const HandoffFile& file);

// "<pool_id>-<replica_id>.json"
std::string handoff_file_name(const PoolId& pool, const ReplicaId& replica);

BOOST_DESCRIBE_STRUCT(HandoffModel, (), (id, path))
BOOST_DESCRIBE_STRUCT(
    HandoffFile,
    (),
    (pool_id,
     replica_id,
     engine,
     url,
     engine_version,
     device_mask,
     slots_total,
     slots_free,
     pid,
     provisioning_mode,
     model,
     flags)
)

}  // namespace orch::api
