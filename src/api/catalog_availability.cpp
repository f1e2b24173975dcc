#include "api/catalog_availability.hpp"

#include "api/checks.hpp"

namespace orch::api {

template <>
Result<CatalogAvailability> from_json(std::string_view text) {
    return read_message<CatalogAvailability>(text, [](const json::bj::value& tree) {
        return require_keys(tree, "", {"nodes", "models"});
    });
}

std::string to_json(const CatalogAvailability& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

}  // namespace orch::api
