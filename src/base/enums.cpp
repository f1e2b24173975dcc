#include "base/enums.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace orch {
namespace {

template <class Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Names<EngineFamily, 5> kFamilies{{
    {EngineFamily::llamacpp, "llamacpp"},
    {EngineFamily::vllm, "vllm"},
    {EngineFamily::tgi, "tgi"},
    {EngineFamily::triton, "triton"},
    {EngineFamily::openai, "openai"},
}};

constexpr Names<ModelKind, 3> kKinds{{
    {ModelKind::chat, "chat"},
    {ModelKind::embedding, "embedding"},
    {ModelKind::rerank, "rerank"},
}};

constexpr Names<NodeStatus, 6> kStatuses{{
    {NodeStatus::registering, "Registering"},
    {NodeStatus::pending, "Pending"},
    {NodeStatus::online, "Online"},
    {NodeStatus::draining, "Draining"},
    {NodeStatus::offline, "Offline"},
    {NodeStatus::failed, "Failed"},
}};

template <class Enum, std::size_t N>
std::string_view name_of(const Names<Enum, N>& names, Enum value) {
    for (const auto& [candidate, name] : names) {
        if (candidate == value) {
            return name;
        }
    }
    return "unknown";
}

template <class Enum, std::size_t N>
std::optional<Enum> value_of(const Names<Enum, N>& names, std::string_view text) {
    for (const auto& [candidate, name] : names) {
        if (name == text) {
            return candidate;
        }
    }
    return std::nullopt;
}

}  // namespace

std::string_view to_string(EngineFamily family) {
    return name_of(kFamilies, family);
}

std::string_view to_string(ModelKind kind) {
    return name_of(kKinds, kind);
}

std::string_view to_string(NodeStatus status) {
    return name_of(kStatuses, status);
}

std::optional<EngineFamily> engine_family_from(std::string_view text) {
    return value_of(kFamilies, text);
}

std::optional<ModelKind> model_kind_from(std::string_view text) {
    return value_of(kKinds, text);
}

std::optional<NodeStatus> node_status_from(std::string_view text) {
    return value_of(kStatuses, text);
}

}  // namespace orch
