#include "api/labels.hpp"
#include "apps/llorch/commands.hpp"
#include "apps/llorch/error_text.hpp"
#include "apps/llorch/explain_view.hpp"
#include "base/json.hpp"

#include <boost/describe/class.hpp>

#include <utility>

namespace orch::llorch {
namespace {

struct AskedPlacement {
    std::optional<std::string> node_id;
    std::optional<std::string> pin_pool_id;
    std::vector<std::string> prefer_pools;
    std::vector<std::string> avoid_pools;
    std::optional<api::Labels> labels;
    std::optional<std::string> require_device_mask;
    std::optional<bool> allow_fallback;
};

// The server asks for an input; what it says has no influence on the place.
struct Asked {
    std::string model;
    std::string prompt;
    std::optional<std::string> session_id;
    std::optional<std::string> engine;
    std::optional<std::uint32_t> ctx;
    AskedPlacement placement;
};

BOOST_DESCRIBE_STRUCT(
    AskedPlacement,
    (),
    (node_id, pin_pool_id, prefer_pools, avoid_pools, labels, require_device_mask, allow_fallback)
)
BOOST_DESCRIBE_STRUCT(Asked, (), (model, prompt, session_id, engine, ctx, placement))

std::string body_of(const ExplainOptions& options, api::Labels labels) {
    Asked asked;
    asked.model = options.model;
    asked.session_id = options.session;
    asked.engine = options.engine;
    asked.ctx = options.ctx;
    asked.placement.node_id = options.node;
    asked.placement.pin_pool_id = options.pool;
    asked.placement.prefer_pools = options.prefer;
    asked.placement.avoid_pools = options.avoid;
    if (!labels.empty()) {
        asked.placement.labels = std::move(labels);
    }
    asked.placement.require_device_mask = options.device_mask;
    if (options.fallback) {
        asked.placement.allow_fallback = true;
    }
    return json::encode(asked);
}

}  // namespace

ExitCode explain_command(
    ApiClient& client, const ExplainOptions& options, bool json, Console& console
) {
    auto labels = api::read_labels(options.labels, "--label");
    if (!labels) {
        return report(console, {ExitCode::usage, labels.error().message});
    }
    const char* const path = "/v2/tasks/preview";
    const auto answer = client.call(net::Method::post, path, body_of(options, std::move(*labels)));
    if (!answer) {
        return report(console, answer.error());
    }
    if (json) {
        print_body(console, answer->body);
    }
    if (exit_code_for(answer->status) != ExitCode::ok) {
        return report(console, failure_of_answer(answer->status, answer->body));
    }
    const auto preview = api::from_json<api::TaskPreview>(answer->body);
    if (!preview) {
        return report(console, failure_of_body("POST /v2/tasks/preview", preview.error()));
    }
    if (!json) {
        console.out << explain_text(*preview, console.style) << std::flush;
    }
    return ExitCode::ok;
}

}  // namespace orch::llorch
