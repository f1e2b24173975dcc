#pragma once

#include "api/codec.hpp"
#include "base/bytes.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Long work of either daemon, as GET /v2/operations/{id} tells it.
namespace orch::api {

// States of an operation and of its parts. A part of an operation may also be kSkipped: there was
// nothing to do.
//
//   running --> succeeded | failed
inline constexpr std::string_view kRunning = "running";
inline constexpr std::string_view kSucceeded = "succeeded";
inline constexpr std::string_view kFailed = "failed";
inline constexpr std::string_view kSkipped = "skipped";

// What one node does for an operation of the control plane.
struct OperationPart {
    std::string node_id;
    std::string state;
    std::string source;  // where the node takes the file from; empty when it takes none
    Bytes bytes_done = 0;
    Bytes bytes_total = 0;
    std::optional<std::string> error;
};

struct Operation {
    std::string id;
    std::string kind;    // "model.stage", "model.verify"
    std::string target;  // the model's id
    std::string state = std::string(kRunning);
    double progress = 0;  // 0 to 1
    Bytes bytes_done = 0;
    Bytes bytes_total = 0;  // 0 = not known yet
    std::optional<std::string> error;
    std::int64_t created_ms = 0;
    std::int64_t updated_ms = 0;
    std::vector<OperationPart> nodes;  // of the control plane only

    bool ended() const { return state != kRunning; }
};

struct OperationList {
    std::vector<Operation> operations;
    std::size_t count = 0;
};

OperationList make_list(std::vector<Operation> operations);

// An id and a known state are required, figures are taken as they come.
Result<void> validate(const Operation& message);

template <>
Result<Operation> from_json(std::string_view text);
template <>
Result<OperationList> from_json(std::string_view text);

std::string to_json(const Operation& message);
std::string to_json(const OperationList& message);

BOOST_DESCRIBE_STRUCT(OperationPart, (), (node_id, state, source, bytes_done, bytes_total, error))
BOOST_DESCRIBE_STRUCT(
    Operation,
    (),
    (id,
     kind,
     target,
     state,
     progress,
     bytes_done,
     bytes_total,
     error,
     created_ms,
     updated_ms,
     nodes)
)
BOOST_DESCRIBE_STRUCT(OperationList, (), (operations, count))

}  // namespace orch::api
