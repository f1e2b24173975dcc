#pragma once

#include "api/codec.hpp"
#include "base/bytes.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// The model store of a node, as its API and the heartbeat's `models[]` tell it.
namespace orch::api {

// The states of a model on a node.
inline constexpr std::string_view kModelStaging = "staging";      // being copied or downloaded
inline constexpr std::string_view kModelVerifying = "verifying";  // being read for its digest
inline constexpr std::string_view kModelReady = "ready";
inline constexpr std::string_view kModelCorrupt = "corrupt";  // the bytes are not those of digest

struct ModelInfo {
    std::string id;
    std::optional<std::string> digest;  // "sha256:..."; absent until it is known
    Bytes bytes = 0;
    std::string state;
    std::string file;                   // in the store's folder
    std::optional<std::string> source;  // where it was staged from; absent for a file put there
    std::optional<std::int64_t> last_verified_ms;
    std::optional<std::string> error;    // why it is corrupt
    std::vector<std::string> used_by{};  // pools whose spec names it
};

struct ModelInfoList {
    std::vector<ModelInfo> models;
    std::size_t count = 0;
};

// POST /v2/models
struct AddModelRequest {
    std::string source;                 // an absolute path, file:/..., http://... or https://...
    std::optional<std::string> id;      // absent: from the source's last segment
    std::optional<std::string> digest;  // absent: whatever comes is taken
    bool peer = false;  // the source is a node of the cluster: it is shown the cluster's token
};

ModelInfoList make_list(std::vector<ModelInfo> models);

// Errors: invalid_params naming the field; what the source means is asked elsewhere.
Result<void> validate(const AddModelRequest& message);

template <>
Result<ModelInfo> from_json(std::string_view text);
template <>
Result<ModelInfoList> from_json(std::string_view text);
template <>
Result<AddModelRequest> from_json(std::string_view text);

std::string to_json(const ModelInfo& message);
std::string to_json(const ModelInfoList& message);
std::string to_json(const AddModelRequest& message);

BOOST_DESCRIBE_STRUCT(
    ModelInfo, (), (id, digest, bytes, state, file, source, last_verified_ms, error, used_by)
)
BOOST_DESCRIBE_STRUCT(ModelInfoList, (), (models, count))
BOOST_DESCRIBE_STRUCT(AddModelRequest, (), (source, id, digest, peer))

}  // namespace orch::api
