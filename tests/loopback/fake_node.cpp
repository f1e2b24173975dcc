#include "loopback/fake_node.hpp"

#include "loopback/eventually.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace orch::loopback {

Script answer(std::string body, int status) {
    Script script;
    script.status = status;
    script.pieces = {std::move(body)};
    return script;
}

Script stream(std::vector<std::string> pieces) {
    Script script;
    script.type = "text/event-stream";
    script.pieces = std::move(pieces);
    script.with_length = false;
    return script;
}

Script refusal(int status, std::string code) {
    Script script = answer(
        fmt::format(R"({{"error":{{"message":"the node says {0}","code":"{0}"}}}})", code), status
    );
    script.origin = "node";
    return script;
}

FakeNode::FakeNode(std::string id, async::AsyncClock& clock, LogSink& sink)
    : id_(std::move(id)),
      clock_(clock),
      edge_(0, clock, Logger(sink, "fake-node")),
      usual_(answer("{}")),
      status_body_(
          fmt::format(R"({{"node_id":"{0}","machine_id":"m-{0}","timestamp":"t","pools":[]}})", id_)
      ) {
    routes_.add({
        .method = net::Method::get,
        .path = "/v2/node",
        .summary = "",
        .handler = [this](net::Exchange& exchange) { return show_status(exchange); },
    });
    for (const bool of_pool : {false, true}) {
        routes_.add({
            .method = net::Method::get,
            .path = of_pool ? "/pools/default/status" : "/health",
            .summary = "",
            .handler = [this, of_pool](net::Exchange& exchange
                       ) { return show_earlier(exchange, of_pool); },
        });
    }
    for (const char* const path :
         {"/v2/pools/{pool}/engine/{path...}",
          "/v2/pools/{pool}/preload",
          "/v2/pools/{pool}/drain",
          "/v2/pools/{pool}/reload"}) {
        routes_.add({
            .method = net::Method::post,
            .path = path,
            .body_limit = net::kDefaultBodyLimit,
            .summary = "",
            .handler = [this](net::Exchange& exchange) { return play(exchange); },
        });
    }
    net::ServerSpec spec{routes_, {}, {}, {}, {}};
    server_ = std::make_unique<net::HttpServer>(
        std::vector<net::Edge*>{&edge_}, std::move(spec), Logger(sink, "fake-node")
    );
    const auto bound = server_->bind(HostPort{"127.0.0.1", 0});
    if (!bound) {
        throw std::runtime_error(bound.error().message);
    }
    address_ = *bound;
    edge_.start();
    server_->start();
}

FakeNode::~FakeNode() {
    stop();
}

void FakeNode::stop() {
    if (!std::exchange(stopped_, true)) {
        gate_ = true;
        server_->stop_accepting();
        edge_.stop();
    }
}

void FakeNode::play(Script script) {
    const std::lock_guard lock(mutex_);
    usual_ = std::move(script);
}

void FakeNode::play_next(Script script) {
    const std::lock_guard lock(mutex_);
    next_.push_back(std::move(script));
}

void FakeNode::set_status_answer(int status, std::string body) {
    const std::lock_guard lock(mutex_);
    status_code_ = status;
    status_body_ = std::move(body);
}

std::vector<FakeNode::Seen> FakeNode::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

bool FakeNode::wait_seen(std::size_t count) const {
    return eventually([&] { return seen().size() >= count; });
}

bool FakeNode::wait_left(std::size_t count) const {
    return eventually([&] { return left_ >= count; });
}

std::string FakeNode::token() const {
    const std::lock_guard lock(mutex_);
    return token_;
}

Task<void> FakeNode::show_status(net::Exchange& exchange) {
    net::Response response;
    {
        const std::lock_guard lock(mutex_);
        token_ = exchange.head().headers.find("Authorization").value_or("");
        response = net::json_response(status_code_, status_body_);
    }
    co_await exchange.respond(std::move(response));
}

void FakeNode::be_earlier(std::string pool_status) {
    const std::lock_guard lock(mutex_);
    status_code_ = 404;
    earlier_pool_ = std::move(pool_status);
}

Task<void> FakeNode::show_earlier(net::Exchange& exchange, bool of_pool) {
    net::Response response;
    {
        const std::lock_guard lock(mutex_);
        const std::string said = of_pool ? earlier_pool_.value_or("") : R"({"status":"ok"})";
        const bool knows = earlier_pool_ && !said.empty();
        response = net::json_response(knows ? 200 : 404, knows ? said : "{}");
    }
    co_await exchange.respond(std::move(response));
}

Script FakeNode::next_script() {
    if (next_.empty()) {
        return usual_;
    }
    Script script = std::move(next_.front());
    next_.pop_front();
    return script;
}

// False when the caller left meanwhile.
Task<bool> FakeNode::wait_for_gate(net::Exchange& exchange) {
    while (!gate_ && !exchange.client_gone()) {
        if (!co_await clock_.sleep_for(std::chrono::milliseconds(1))) {
            co_return false;
        }
    }
    co_return !exchange.client_gone();
}

Task<void> FakeNode::play(net::Exchange& exchange) {
    Script script;
    {
        const std::lock_guard lock(mutex_);
        seen_.push_back({exchange.head().target, exchange.head().headers, exchange.body()});
        script = next_script();
    }
    if (script.gate_before == 0 && !co_await wait_for_gate(exchange)) {
        ++left_;
        co_return;
    }
    if (script.cut_before == 0) {
        exchange.abort();
        co_return;
    }
    net::Headers headers = script.headers;
    headers.add("Content-Type", script.type);
    if (!script.origin.empty()) {
        headers.add("X-Llorch-Origin", script.origin);
    }
    std::optional<Bytes> length;
    if (script.with_length) {
        length = 0;
        for (const std::string& piece : script.pieces) {
            *length += piece.size();
        }
    }
    co_await exchange.begin(script.status, std::move(headers), length);
    for (std::size_t i = 0; i < script.pieces.size(); ++i) {
        if (i > 0 && script.gate_before == i && !co_await wait_for_gate(exchange)) {
            ++left_;
            co_return;
        }
        if (i > 0 && script.cut_before == i) {
            exchange.abort();
            co_return;
        }
        co_await exchange.write(script.pieces[i]);
    }
    if (script.cut_before == script.pieces.size()) {
        exchange.abort();
        co_return;
    }
    co_await exchange.end();
    left_ += exchange.client_gone() ? 1 : 0;
}

api::PoolReport ready_pool(std::string id, std::string model, std::uint32_t slots) {
    api::PoolReport pool;
    pool.pool_id = PoolId(std::move(id));
    pool.ready = true;
    pool.slots_free = slots;
    pool.slots_total = slots;
    pool.active_leases = 0;
    pool.engine = "llamacpp";
    pool.served_name = model;
    pool.models_available = {std::move(model)};
    return pool;
}

}  // namespace orch::loopback
