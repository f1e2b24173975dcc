#include "api/catalog_availability.hpp"
#include "api/catalog_messages.hpp"
#include "base/text.hpp"
#include "control/app/routes.hpp"
#include "control/catalog/availability.hpp"
#include "net/answer.hpp"
#include "net/percent.hpp"
#include "net/route_group.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace orch::control::app {
namespace {

// The change is told when it is on disk.
Task<Result<void>> save(RouteContext& context) {
    const auto snapshot =
        co_await async::call_on(context.control, [&context] { return context.catalog.snapshot(); });
    const auto write = [&file = context.catalog_file, snapshot] {
        return file.save(snapshot.text, snapshot.version);
    };
    co_return co_await context.disk.offload(write);
}

Task<void> availability(RouteContext& context, net::Exchange& exchange) {
    auto nodes =
        co_await async::call_on(context.control, [&context] { return context.catalog.nodes(); });
    Result<api::CatalogAvailability> seen = catalog::make_availability(nodes);
    co_await net::answer(exchange, 200, std::move(seen));
}

Task<void> list_models(RouteContext& context, net::Exchange& exchange) {
    Result<api::CatalogModelList> list = co_await async::call_on(context.control, [&context] {
        return Result<api::CatalogModelList>(context.catalog.list());
    });
    co_await net::answer(exchange, 200, std::move(list));
}

Task<void> get_model(RouteContext& context, net::Exchange& exchange) {
    auto model = co_await async::call_on(context.control, [&context, &exchange] {
        return context.catalog.get(exchange.param("id"));
    });
    co_await net::answer(exchange, 200, std::move(model));
}

Result<api::CatalogModel> read_entry(const net::Exchange& exchange) {
    auto model = api::from_json<api::CatalogModel>(exchange.body());
    const auto policy = exchange.head().headers.find("X-Trust-Policy").value_or("permissive");
    if (policy != "strict" && policy != "permissive") {
        return fail(Errc::invalid_params, "X-Trust-Policy: must be strict or permissive");
    }
    if (model && policy == "strict") {
        if (auto trusted = api::check_trust(*model); !trusted) {
            return std::unexpected(trusted.error());
        }
    }
    return model;
}

Task<void> put_model(RouteContext& context, net::Exchange& exchange) {
    auto model = read_entry(exchange);
    if (!model) {
        co_await exchange.respond_error(std::move(model.error()));
        co_return;
    }
    const std::string id = model->id;
    const bool fresh = co_await async::call_on(context.control, [&context, &model] {
        return context.catalog.put(std::move(*model));
    });
    if (auto saved = co_await save(context); !saved) {
        co_await exchange.respond_error(std::move(saved.error()));
        co_return;
    }
    auto entry = co_await async::call_on(context.control, [&context, &id] {
        return context.catalog.get(id);
    });
    co_await net::answer(exchange, fresh ? 201 : 200, std::move(entry));
}

// ?nodes=all or ?nodes=a,b: whose copies go too.
struct Removal {
    std::string id;
    bool entry = false;
    std::vector<api::NodeInfo> nodes;
};

Result<Removal> plan_removal(
    const fleet::CatalogBackend& catalog, const std::string& id, const std::string& wanted
) {
    auto model = catalog.get(id);
    if (!model) {
        return std::unexpected(model.error());
    }
    Removal removal{id, model->registered, {}};
    const bool all = wanted == "all";
    std::vector<std::string_view> names;
    if (!all && !wanted.empty()) {
        names = split(wanted, ',');
    }
    for (api::NodeInfo& node : catalog.nodes()) {
        const bool has = std::ranges::any_of(model->nodes, [&](const api::ModelCopy& copy) {
            return copy.node_id == node.node_id;
        });
        const auto named = std::ranges::find(names, std::string_view(node.node_id.str()));
        if ((all && has) || named != names.end()) {
            removal.nodes.push_back(std::move(node));
        }
        if (named != names.end()) {
            names.erase(named);
        }
    }
    if (!names.empty()) {
        return fail(Errc::not_found, fmt::format("nodes: the node '{}' is unknown", names.front()));
    }
    if (!removal.entry && removal.nodes.empty()) {
        return fail(
            Errc::conflict,
            fmt::format(
                "nodes: only nodes know the model '{}': say whose copies shall go, or `all`", id
            )
        );
    }
    return removal;
}

Task<Result<void>> remove_copies(RouteContext& context, net::Exchange& exchange, Removal removal) {
    fleet::NodeClient client(exchange.edge().clients(), context.outbound_token);
    std::vector<std::string> refusals;
    for (const api::NodeInfo& node : removal.nodes) {
        const auto removed = co_await client.remove(node.address, removal.id);
        if (!removed) {
            refusals.push_back(fmt::format("{}: {}", node.node_id.str(), removed.error().message));
        }
    }
    if (!refusals.empty()) {
        co_return fail(Errc::conflict, fmt::format("{}", fmt::join(refusals, "; ")));
    }
    co_return Result<void>{};
}

// The entry stays while a copy that shall go is still there. Taking copies alone, from some nodes,
// leaves the entry.
Task<void> delete_model(RouteContext& context, net::Exchange& exchange) {
    const std::string id = exchange.param("id");
    const std::string nodes = net::query_value(exchange.head().query(), "nodes").value_or("");
    const auto removal = co_await async::call_on(context.control, [&] {
        return plan_removal(context.catalog, id, nodes);
    });
    if (!removal) {
        co_await exchange.respond_error(removal.error());
        co_return;
    }
    auto removed = co_await remove_copies(context, exchange, *removal);
    if (!removed) {
        co_await exchange.respond_error(std::move(removed.error()));
        co_return;
    }
    if (removal->entry && (nodes.empty() || nodes == "all")) {
        removed =
            co_await async::call_on(context.control, [&] { return context.catalog.remove(id); });
        if (auto saved = co_await save(context); !saved) {
            co_await exchange.respond_error(std::move(saved.error()));
            co_return;
        }
    }
    co_await net::answer_done(exchange, Result<void>());
}

Task<void> set_state(RouteContext& context, net::Exchange& exchange) {
    const auto request = api::from_json<api::ModelStateRequest>(exchange.body());
    if (!request) {
        co_await exchange.respond_error(request.error());
        co_return;
    }
    auto model = co_await async::call_on(context.control, [&] {
        return context.catalog.set_state(exchange.param("id"), *request);
    });
    if (model) {
        if (auto saved = co_await save(context); !saved) {
            co_await exchange.respond_error(std::move(saved.error()));
            co_return;
        }
    }
    co_await net::answer(exchange, 202, std::move(model));
}

Task<void> verify_model(RouteContext& context, net::Exchange& exchange) {
    auto operation = co_await async::call_on(context.control, [&context, &exchange] {
        return context.catalog.verify(exchange.param("id"));
    });
    co_await net::answer(exchange, 202, std::move(operation));
}

Task<void> stage(RouteContext& context, net::Exchange& exchange) {
    const auto request = api::from_json<api::StageRequest>(exchange.body());
    if (!request) {
        co_await exchange.respond_error(request.error());
        co_return;
    }
    auto operation = co_await async::call_on(context.control, [&context, &request] {
        return context.catalog.stage(*request);
    });
    co_await net::answer(exchange, 202, std::move(operation));
}

constexpr const char* kEntry =
    R"({"id":"qwen3-8b","source_url":"http://models.lan/qwen3-8b.gguf","tags":["chat"]})";
constexpr const char* kRetire = R"({"state":"Retired"})";
constexpr const char* kStage = R"({"model_ref":"qwen3-8b","replicas":2})";

}  // namespace

void add_catalog_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::cluster);
    group.get("/v2/catalog/availability", "Which node has which model", availability);
    group.get("/v2/catalog/models", "Entries, and what nodes have", list_models);
    group.post("/v2/catalog/models", "Make or replace an entry", put_model, {.example = kEntry});
    group.get("/v2/catalog/models/{id}", "One model", get_model);
    group.del("/v2/catalog/models/{id}", "Remove an entry; ?nodes= copies too", delete_model);
    group.post(
        "/v2/catalog/models/{id}/state",
        "Retire a model, or take it back",
        set_state,
        {.example = kRetire}
    );
    group.post("/v2/catalog/models/{id}/verify", "Have all copies read", verify_model);
    group.post("/v2/catalog/stage", "Bring a model to nodes", stage, {.example = kStage});
}

}  // namespace orch::control::app
