#pragma once

#include <optional>
#include <string_view>

namespace orch {

// What kind of server runs behind a pool; the wire text is the enumerator.
enum class EngineFamily { llamacpp, vllm, tgi, triton, openai };

// What a pool's model is for.
enum class ModelKind { chat, embedding, rerank };

//                 heartbeat
//   Registering ------------> Online <----------- Offline
//        |                    |  ^  \   heartbeat     ^
//        |       drain/cordon v  | uncordon           | deadline passed (from any state)
//        |                  Draining ----------------->
//        +-- all pools crash-loop --> Failed (heartbeats still count)
//
// The wire text is the enumerator with a capital: "Online".
enum class NodeStatus { registering, pending, online, draining, offline, failed };

std::string_view to_string(EngineFamily family);
std::string_view to_string(ModelKind kind);
std::string_view to_string(NodeStatus status);

std::optional<EngineFamily> engine_family_from(std::string_view text);
std::optional<ModelKind> model_kind_from(std::string_view text);
std::optional<NodeStatus> node_status_from(std::string_view text);

}  // namespace orch
