#pragma once

#include "api/codec.hpp"
#include "base/bytes.hpp"
#include "base/strong_id.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The catalog of the control plane: what is known of models beyond the files that nodes have.
namespace orch::api {

// What a model's life knows: requests for a Retired one are refused.
inline constexpr std::string_view kActive = "Active";
inline constexpr std::string_view kRetired = "Retired";

struct ModelManifest {
    std::string digest;
    Bytes size_bytes = 0;
};

struct ModelSignature {
    std::string signer;
    std::string algo;
    bool verified = false;  // as whoever made the entry says; nothing is verified here
    std::int64_t timestamp_ms = 0;
};

struct ModelSbom {
    std::string uri;
    std::string digest;
};

struct TrustPolicy {
    std::string mode = "permissive";  // or "strict"
    std::vector<std::string> allowed_registries;
    bool require_signature = false;
    bool require_sbom = false;
    std::vector<std::string> ca_roots;
};

// A copy of the model on a node.
struct ModelCopy {
    NodeId node_id;
    std::string state;
    std::optional<std::string> digest;
    Bytes bytes = 0;
};

// An entry: what was told of the model, and where its copies are. A model that nodes have and
// nobody told of is listed too, with registered = false.
struct CatalogModel {
    std::string id;
    std::optional<std::string> digest;      // "sha256:..."; what copies must have
    std::optional<std::string> source_url;  // where nodes take it from when none has it
    std::vector<std::string> tags;
    std::vector<ModelManifest> manifests;
    std::optional<bool> is_signed;  // "signed" on the wire, a keyword here
    std::vector<ModelSignature> signatures;
    std::optional<ModelSbom> sbom;
    std::optional<TrustPolicy> trust_policy;
    std::string state = std::string(kActive);
    std::optional<std::int64_t> retire_at_ms;  // Retired from then on
    std::int64_t created_ms = 0;
    std::int64_t updated_ms = 0;
    std::optional<std::int64_t> last_verified_ms;
    bool registered = true;
    std::vector<ModelCopy> nodes;
};

struct CatalogModelList {
    std::vector<CatalogModel> models;
    std::size_t count = 0;
};

// POST /v2/catalog/models/{id}/state
struct ModelStateRequest {
    std::string state;
    std::optional<std::int64_t> deadline_ms;  // a Retired model may be asked for so long
};

// POST /v2/catalog/stage; exactly one of nodes and replicas.
struct StageRequest {
    std::string model_ref;          // a model's id, or a path on the nodes or a URL to take it from
    std::optional<std::string> id;  // under which a path or URL is stored; absent: from its name
    std::optional<std::string> digest;
    std::vector<NodeId> nodes;
    std::optional<std::uint32_t> replicas;  // Online nodes that shall have it in all
};

CatalogModelList make_list(std::vector<CatalogModel> models);

// "X-Trust-Policy: strict": the entry has to be signed and to say its digest.
// Errors: untrusted_artifact.
Result<void> check_trust(const CatalogModel& message);

// Errors: invalid_params naming the field; digests are in their normal form afterwards.
Result<void> normalise(CatalogModel& message);
Result<void> normalise(StageRequest& message);
Result<void> validate(const ModelStateRequest& message);

template <>
Result<CatalogModel> from_json(std::string_view text);
template <>
Result<CatalogModelList> from_json(std::string_view text);
template <>
Result<ModelStateRequest> from_json(std::string_view text);
template <>
Result<StageRequest> from_json(std::string_view text);

std::string to_json(const CatalogModel& message);
std::string to_json(const CatalogModelList& message);
std::string to_json(const ModelStateRequest& message);
std::string to_json(const StageRequest& message);

BOOST_DESCRIBE_STRUCT(ModelManifest, (), (digest, size_bytes))
BOOST_DESCRIBE_STRUCT(ModelSignature, (), (signer, algo, verified, timestamp_ms))
BOOST_DESCRIBE_STRUCT(ModelSbom, (), (uri, digest))
BOOST_DESCRIBE_STRUCT(
    TrustPolicy, (), (mode, allowed_registries, require_signature, require_sbom, ca_roots)
)
BOOST_DESCRIBE_STRUCT(ModelCopy, (), (node_id, state, digest, bytes))
BOOST_DESCRIBE_STRUCT(
    CatalogModel,
    (),
    (id,
     digest,
     source_url,
     tags,
     manifests,
     is_signed,
     signatures,
     sbom,
     trust_policy,
     state,
     retire_at_ms,
     created_ms,
     updated_ms,
     last_verified_ms,
     registered,
     nodes)
)
BOOST_DESCRIBE_STRUCT(CatalogModelList, (), (models, count))
BOOST_DESCRIBE_STRUCT(ModelStateRequest, (), (state, deadline_ms))
BOOST_DESCRIBE_STRUCT(StageRequest, (), (model_ref, id, digest, nodes, replicas))

}  // namespace orch::api
