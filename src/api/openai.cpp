#include "api/openai.hpp"

#include "api/checks.hpp"

namespace orch::api {

template <>
Result<ModelList> from_json(std::string_view text) {
    return read_message<ModelList>(text, [](const auto& tree) {
        return require_keys(tree, "", {"data"});
    });
}

std::string to_json(const ModelList& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

std::string to_json(const ModelEntry& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

}  // namespace orch::api
