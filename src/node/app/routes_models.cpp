#include "api/model_messages.hpp"
#include "api/operation.hpp"
#include "net/answer.hpp"
#include "net/route_group.hpp"
#include "node/app/routes.hpp"
#include "node/models/blob_server.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::node::app {
namespace {

Task<void> list_models(RouteContext& context, net::Exchange& exchange) {
    Result<api::ModelInfoList> list = co_await async::call_on(context.control, [&context] {
        return Result<api::ModelInfoList>(api::make_list(context.models.list()));
    });
    co_await net::answer(exchange, 200, std::move(list));
}

Task<void> get_model(RouteContext& context, net::Exchange& exchange) {
    auto model = co_await async::call_on(context.control, [&context, &exchange] {
        return context.models.get(exchange.param("id"));
    });
    co_await net::answer(exchange, 200, std::move(model));
}

Task<void> add_model(RouteContext& context, net::Exchange& exchange) {
    const auto request = api::from_json<api::AddModelRequest>(exchange.body());
    if (!request) {
        co_await exchange.respond_error(request.error());
        co_return;
    }
    auto operation = co_await async::call_on(context.control, [&context, &request] {
        return context.models.add(*request);
    });
    co_await net::answer(exchange, 202, std::move(operation));
}

Task<void> verify_model(RouteContext& context, net::Exchange& exchange) {
    auto operation = co_await async::call_on(context.control, [&context, &exchange] {
        return context.models.verify(exchange.param("id"));
    });
    co_await net::answer(exchange, 202, std::move(operation));
}

Task<void> delete_model(RouteContext& context, net::Exchange& exchange) {
    auto removed = co_await async::call_on(context.control, [&context, &exchange] {
        return context.models.remove(exchange.param("id"));
    });
    co_await net::answer_done(exchange, std::move(removed));
}

Task<void> get_blob(RouteContext& context, net::Exchange& exchange) {
    auto place = co_await async::call_on(context.control, [&context, &exchange] {
        return context.models.find_blob(exchange.param("id"));
    });
    if (!place) {
        co_await exchange.respond_error(std::move(place.error()));
        co_return;
    }
    co_await models::serve_blob(exchange, context.file_threads, std::move(*place));
}

Task<void> list_operations(RouteContext& context, net::Exchange& exchange) {
    Result<api::OperationList> list = co_await async::call_on(context.control, [&context] {
        return Result<api::OperationList>(api::make_list(context.models.operations().list()));
    });
    co_await net::answer(exchange, 200, std::move(list));
}

Task<void> get_operation(RouteContext& context, net::Exchange& exchange) {
    const std::string id = exchange.param("id");
    auto operation = co_await async::call_on(context.control, [&]() -> Result<api::Operation> {
        const api::Operation* const found = context.models.operations().find(id);
        return found != nullptr
                   ? Result<api::Operation>(*found)
                   : fail(Errc::not_found, fmt::format("the operation '{}' is unknown", id));
    });
    co_await net::answer(exchange, 200, std::move(operation));
}

}  // namespace

void add_model_routes(net::RouteTable& routes, RouteContext& context) {
    net::RouteGroup group(routes, context, auth::AuthClass::cluster);
    group.get("/v2/models", "The models of this node's store", list_models);
    group.post(
        "/v2/models",
        "Bring a model in from a file or URL",
        add_model,
        {.example = R"({"source":"/models/qwen3-8b.gguf"})"}
    );
    group.get("/v2/models/{id}", "One model", get_model);
    group.del("/v2/models/{id}", "Remove a model and its file", delete_model);
    group.post("/v2/models/{id}/verify", "Read a model for its digest", verify_model);
    group.get("/v2/models/{id}/blob", "The bytes of a model, or a range of them", get_blob);
    group.get("/v2/operations", "Long operations, the newest first", list_operations);
    group.get("/v2/operations/{id}", "How far a long operation is", get_operation);
}

}  // namespace orch::node::app
