#include "api/catalog_messages.hpp"

#include "api/checks.hpp"
#include "api/model_id.hpp"

#include <algorithm>
#include <utility>

namespace orch::api {
namespace {

namespace bj = json::bj;

constexpr std::size_t kMaxItems = 256;  // tags, manifests, signatures, registries, nodes
constexpr std::size_t kMaxText = 4096;  // bytes of a URL or a name
constexpr std::string_view kIdRule =
    "1 to 128 of the characters A-Z a-z 0-9 . _ - and must not begin with a dot";

Result<void> normalise_digest(std::optional<std::string>& digest, std::string_view field) {
    if (!digest) {
        return {};
    }
    auto normal = parse_digest(*digest, field);
    if (!normal) {
        return std::unexpected(normal.error());
    }
    digest = std::move(*normal);
    return {};
}

void check_extras(Checks& checks, const CatalogModel& model) {
    checks.count(model.tags.size(), kMaxItems, "tags");
    checks.count(model.manifests.size(), kMaxItems, "manifests");
    checks.count(model.signatures.size(), kMaxItems, "signatures");
    checks.count(model.nodes.size(), kMaxItems, "nodes");
    for (const std::string& tag : model.tags) {
        checks.text(tag, kMaxText, "tags");
    }
    if (model.trust_policy) {
        const std::string& mode = model.trust_policy->mode;
        checks.require(
            mode == "strict" || mode == "permissive", "trust_policy.mode", "strict or permissive"
        );
        checks.count(
            model.trust_policy->allowed_registries.size(),
            kMaxItems,
            "trust_policy.allowed_registries"
        );
        checks.count(model.trust_policy->ca_roots.size(), kMaxItems, "trust_policy.ca_roots");
    }
}

void check_state(Checks& checks, std::string_view state) {
    checks.require(state == kActive || state == kRetired, "state", "Active or Retired");
}

// "signed" cannot be a member's name.
void rename_key(bj::object& object, std::string_view from, std::string_view to) {
    const auto found = object.find(from);
    if (found != object.end()) {
        bj::value value = found->value();
        object.erase(found);
        object[to] = std::move(value);
    }
}

bj::value to_tree(const CatalogModel& message) {
    bj::value tree = json::write(message, json::Nulls::write);
    rename_key(tree.get_object(), "is_signed", "signed");
    return tree;
}

Result<CatalogModel> from_tree(bj::value tree, const std::string& path) {
    if (auto complete = require_keys(tree, path, {"id"}); !complete) {
        return std::unexpected(complete.error());
    }
    if (tree.is_object()) {
        tree.get_object().erase("is_signed");
        rename_key(tree.get_object(), "signed", "is_signed");
    }
    CatalogModel message;
    if (auto read = json::read_into(tree, message, path); !read) {
        return std::unexpected(read.error());
    }
    if (auto normal = normalise(message); !normal) {
        return std::unexpected(normal.error());
    }
    return message;
}

}  // namespace

CatalogModelList make_list(std::vector<CatalogModel> models) {
    const std::size_t count = models.size();
    return {std::move(models), count};
}

Result<void> check_trust(const CatalogModel& message) {
    const bool vouched = std::ranges::any_of(message.signatures, &ModelSignature::verified);
    if (!message.is_signed.value_or(vouched)) {
        return fail(
            Errc::untrusted_artifact,
            fmt::format(
                "signed: the model '{}' is not signed, and X-Trust-Policy is strict", message.id
            )
        );
    }
    if (!message.digest) {
        return fail(
            Errc::untrusted_artifact,
            fmt::format(
                "digest: the model '{}' does not say its digest, and X-Trust-Policy is strict",
                message.id
            )
        );
    }
    return {};
}

Result<void> normalise(CatalogModel& message) {
    Checks checks;
    checks.require(valid_model_id(message.id), "id", kIdRule);
    checks.text(message.source_url.value_or(""), kMaxText, "source_url");
    check_extras(checks, message);
    check_state(checks, message.state);
    if (auto valid = checks.result(); !valid) {
        return valid;
    }
    return normalise_digest(message.digest, "digest");
}

Result<void> normalise(StageRequest& message) {
    Checks checks;
    checks.require(!message.model_ref.empty(), "model_ref", "a model's id, a path or a URL");
    checks.text(message.model_ref, kMaxText, "model_ref");
    checks.require(!message.id || valid_model_id(*message.id), "id", kIdRule);
    checks.count(message.nodes.size(), kMaxItems, "nodes");
    for (std::size_t i = 0; i < message.nodes.size(); ++i) {
        checks.id(message.nodes[i].str(), fmt::format("nodes[{}]", i));
    }
    checks.require(
        message.nodes.empty() == message.replicas.has_value(),
        "nodes",
        "given, or replicas, and not both"
    );
    checks.require(message.replicas.value_or(1) > 0, "replicas", "1 or more");
    if (auto valid = checks.result(); !valid) {
        return valid;
    }
    std::ranges::sort(message.nodes);
    const auto repeated = std::ranges::unique(message.nodes);
    message.nodes.erase(repeated.begin(), repeated.end());
    return normalise_digest(message.digest, "digest");
}

Result<void> validate(const ModelStateRequest& message) {
    Checks checks;
    check_state(checks, message.state);
    checks.require(message.deadline_ms.value_or(0) >= 0, "deadline_ms", "0 or more");
    return checks.result();
}

template <>
Result<CatalogModel> from_json(std::string_view text) {
    auto tree = json::parse(text);
    return tree ? from_tree(std::move(*tree), "") : std::unexpected(tree.error());
}

template <>
Result<CatalogModelList> from_json(std::string_view text) {
    auto tree = json::parse(text);
    if (!tree) {
        return std::unexpected(tree.error());
    }
    if (auto complete = require_keys(*tree, "", {"models"}); !complete) {
        return std::unexpected(complete.error());
    }
    if (!tree->is_object() || !tree->get_object().at("models").is_array()) {
        return fail(Errc::invalid_params, "models: must be an array");
    }
    std::vector<CatalogModel> models;
    for (bj::value& item : tree->get_object().at("models").get_array()) {
        auto model = from_tree(std::move(item), fmt::format("models[{}]", models.size()));
        if (!model) {
            return std::unexpected(model.error());
        }
        models.push_back(std::move(*model));
    }
    return make_list(std::move(models));
}

template <>
Result<ModelStateRequest> from_json(std::string_view text) {
    auto message = read_message<ModelStateRequest>(text, [](const bj::value& tree) {
        return require_keys(tree, "", {"state"});
    });
    if (message) {
        if (auto valid = validate(*message); !valid) {
            return std::unexpected(valid.error());
        }
    }
    return message;
}

template <>
Result<StageRequest> from_json(std::string_view text) {
    auto message = read_message<StageRequest>(text, [](const bj::value& tree) {
        return require_keys(tree, "", {"model_ref"});
    });
    if (message) {
        if (auto normal = normalise(*message); !normal) {
            return std::unexpected(normal.error());
        }
    }
    return message;
}

std::string to_json(const CatalogModel& message) {
    return json::serialize(to_tree(message));
}

std::string to_json(const CatalogModelList& message) {
    bj::array models;
    for (const CatalogModel& model : message.models) {
        models.push_back(to_tree(model));
    }
    return json::serialize(bj::object{{"models", std::move(models)}, {"count", message.count}});
}

std::string to_json(const ModelStateRequest& message) {
    return json::encode(message);
}

std::string to_json(const StageRequest& message) {
    bj::value tree = json::write(message, json::Nulls::leave_out);
    if (message.nodes.empty()) {
        tree.get_object().erase("nodes");
    }
    return json::serialize(tree);
}

}  // namespace orch::api
