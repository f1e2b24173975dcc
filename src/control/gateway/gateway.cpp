#include "control/gateway/gateway.hpp"

#include "api/inference_peek.hpp"
#include "control/gateway/exchange_caller.hpp"
#include "control/gateway/request_headers.hpp"
#include "control/gateway/retirement.hpp"
#include "net/correlation.hpp"

#include <utility>

namespace orch::control::gateway {

Gateway::Gateway(
    const std::vector<net::Edge*>& edges,
    GatewayContext context,
    placement::PlacementPolicy policy,
    metrics::Registry& metrics
)
    : context_(std::move(context)) {
    for (net::Edge* const edge : edges) {
        edges_.push_back(std::make_unique<EdgeState>(
            *edge,
            context_.dispatch,
            policy,
            PlacementProbe(metrics, context_.dispatch.placements()),
            metrics
        ));
    }
}

void Gateway::add_routes(net::RouteTable& routes) {
    const auto add = [&](const char* path, ModelKind kind, const char* summary, const char* example
                     ) {
        routes.add({
            .method = net::Method::post,
            .path = path,
            .auth = auth::AuthClass::client,
            .body_limit = net::kDefaultBodyLimit,
            .summary = summary,
            .example = example,
            .handler = [this, kind](net::Exchange& exchange) { return serve(exchange, kind); },
        });
    };
    constexpr ModelKind kChat = ModelKind::chat;
    add("/v1/chat/completions",
        kChat,
        "Chat completion, streamed or not, as OpenAI defines it",
        R"({"model":"qwen3-8b","messages":[{"role":"user","content":"Hello"}],"max_tokens":64})");
    add("/v1/completions",
        kChat,
        "Text completion, streamed or not, as OpenAI defines it",
        R"({"model":"qwen3-8b","prompt":"Once upon a time","max_tokens":64})");
    add("/v1/embeddings",
        ModelKind::embedding,
        "Embeddings, as OpenAI defines them",
        R"({"model":"bge-m3","input":"Hello"})");
    add("/v1/rerank",
        ModelKind::rerank,
        "Documents in the order of their relevance to a query",
        R"({"model":"bge-reranker","query":"a fruit","documents":["an apple","a stone"]})");
}

void Gateway::publish(const view::ClusterViewPtr& view) {
    for (const auto& state : edges_) {
        state->edge().loop().post([state = state.get(), view] { state->set_view(view); });
    }
}

void Gateway::set_policy(const placement::PlacementPolicy& policy) {
    for (const auto& state : edges_) {
        state->edge().loop().post([state = state.get(), policy] { state->set_policy(policy); });
    }
}

void Gateway::set_retired(const view::RetiredModelsPtr& retired) {
    for (const auto& state : edges_) {
        state->edge().loop().post([state = state.get(), retired] { state->set_retired(retired); });
    }
}

const view::ClusterViewPtr& Gateway::view_of(const net::Edge& edge) const {
    return edges_[edge.index()]->view();
}

Task<void> Gateway::serve(net::Exchange& exchange, ModelKind kind) {
    EdgeState& edge = *edges_[exchange.edge().index()];
    const auto peek = api::peek_inference(exchange.body());
    auto request = peek ? read_hints(exchange.head().headers) : std::unexpected(peek.error());
    const auto priority = read_priority(exchange.head().headers);
    if (!request || !priority) {
        co_await refuse(exchange, request ? priority.error() : request.error());
        co_return;
    }
    request->model = peek->model;
    request->kind = kind;
    tell_model(exchange, peek->model.value_or(""));
    if (auto served = leave_out_retired(*edge.view(), edge.retired(), *request); !served) {
        co_await refuse(exchange, std::move(served.error()));
        co_return;
    }
    ExchangeCaller caller(exchange);
    InferenceRun run(context_, edge, caller, std::move(*request), *priority);
    co_await run.run();
}

Task<void> Gateway::refuse(net::Exchange& exchange, Error error) {
    edges_[exchange.edge().index()]->probe().rejected(error.code);
    co_await exchange.respond_error(std::move(error));
}

Task<void> Gateway::carry(
    net::Edge& edge,
    Caller& caller,
    placement::PlacementRequest request,
    admission::Priority priority,
    Grant grant
) {
    InferenceRun run(context_, *edges_[edge.index()], caller, std::move(request), priority);
    co_await run.run_granted(std::move(grant));
}

void Gateway::tell_model(net::Exchange& exchange, const std::string& model) {
    if (model.empty()) {
        context_.log.info(
            "a request names no model: any ready pool of its kind may serve it",
            {{"correlation_id", exchange.correlation()},
             {"trace_id", net::trace_id_of(exchange.traceparent())}}
        );
        return;
    }
    if (view_of(exchange.edge())->find_model(model).empty()) {
        context_.log.warn(
            "a request names a model that no pool serves",
            {{"model", model},
             {"correlation_id", exchange.correlation()},
             {"trace_id", net::trace_id_of(exchange.traceparent())}}
        );
    }
}

}  // namespace orch::control::gateway
