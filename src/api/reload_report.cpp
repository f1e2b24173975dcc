#include "api/reload_report.hpp"

#include "api/checks.hpp"

namespace orch::api {

template <>
Result<ReloadReport> from_json(std::string_view text) {
    return read_message<ReloadReport>(text, [](const json::bj::value& tree) {
        return require_keys(tree, "", {"success"});
    });
}

std::string to_json(const ReloadReport& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

}  // namespace orch::api
