#include "api/model_messages.hpp"

#include "api/checks.hpp"
#include "api/model_id.hpp"

#include <utility>

namespace orch::api {
namespace {

constexpr std::size_t kMaxSource = 4096;

}  // namespace

ModelInfoList make_list(std::vector<ModelInfo> models) {
    const std::size_t count = models.size();
    return {std::move(models), count};
}

Result<void> validate(const AddModelRequest& message) {
    Checks checks;
    checks.require(!message.source.empty(), "source", "a path or a URL");
    checks.text(message.source, kMaxSource, "source");
    checks.require(
        !message.id || valid_model_id(*message.id),
        "id",
        "1 to 128 of the characters A-Z a-z 0-9 . _ - and must not begin with a dot"
    );
    if (auto valid = checks.result(); !valid) {
        return valid;
    }
    if (message.digest) {
        if (auto digest = parse_digest(*message.digest, "digest"); !digest) {
            return std::unexpected(digest.error());
        }
    }
    return {};
}

template <>
Result<ModelInfo> from_json(std::string_view text) {
    return read_message<ModelInfo>(text, [](const json::bj::value& tree) {
        return require_keys(tree, "", {"id", "state"});
    });
}

template <>
Result<ModelInfoList> from_json(std::string_view text) {
    return read_message<ModelInfoList>(text, [](const json::bj::value& tree) {
        return require_keys(tree, "", {"models"});
    });
}

template <>
Result<AddModelRequest> from_json(std::string_view text) {
    auto message = read_message<AddModelRequest>(text, [](const json::bj::value& tree) {
        return require_keys(tree, "", {"source"});
    });
    if (message) {
        if (auto valid = validate(*message); !valid) {
            return std::unexpected(valid.error());
        }
    }
    return message;
}

std::string to_json(const ModelInfo& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

std::string to_json(const ModelInfoList& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

std::string to_json(const AddModelRequest& message) {
    return json::encode(message);
}

}  // namespace orch::api
