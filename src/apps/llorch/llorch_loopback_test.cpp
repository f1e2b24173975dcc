#include "api/node_views.hpp"
#include "api/openai.hpp"
#include "api/task_views.hpp"
#include "apps/llorch/llorch.hpp"
#include "async/async_clock.hpp"
#include "base/log_capture.hpp"
#include "net/http_server.hpp"
#include "net/test_certificates.hpp"

#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <sstream>

namespace orch::llorch {
namespace {

constexpr std::string_view kToken = "a-token-of-sixteen";
constexpr std::string_view kFirstChunk =
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\n";
constexpr std::string_view kLastChunks =
    "data: {\"choices\":[{\"delta\":{\"content\":\" you\"}}]}\n\ndata: [DONE]\n\n";
constexpr std::string_view kErrorEvent =
    "data: {\"error\":{\"message\":\"the node died\",\"code\":\"WORKER_RESET\"}}\n\n";

std::string one_node() {
    api::NodeInfo node;
    node.node_id = NodeId("gpu-1");
    return api::to_json(api::make_list({node}));
}

// As the control plane shows a node that was told to drain and has work left.
std::string busy_node() {
    api::NodeInfo node;
    node.node_id = NodeId("gpu-1");
    node.status = NodeStatus::draining;
    node.pools.resize(1);
    node.pools[0].node_id = node.node_id;
    node.pools[0].pool_id = PoolId("chat");
    node.pools[0].claimed = 2;
    return api::to_json(node);
}

std::string one_broken_pool() {
    api::PoolInfo pool;
    pool.node_id = NodeId("gpu-1");
    pool.pool_id = PoolId("chat");
    pool.served_name = "tiny";
    pool.models_available = {"tiny", "small"};
    pool.last_error = "the engine is gone";
    return api::to_json(api::make_list({pool}));
}

std::string one_model() {
    api::ModelList list;
    list.data.resize(1);
    list.data[0].id = "tiny";
    return api::to_json(list);
}

Task<void> answer(net::Exchange& exchange, std::string body) {
    if (exchange.head().headers.find("Authorization") == "Bearer " + std::string(kToken)) {
        co_await exchange.respond(net::json_response(200, std::move(body)));
    } else {
        co_await exchange.respond_error(Error{Errc::bad_token, "not a valid token", {}});
    }
}

// Changes of a node, each answered with the node; what was said is its version.
Task<void> change_node(net::Exchange& exchange) {
    const bool known = exchange.param("id").empty() || exchange.param("id") == "gpu-1";
    if (!known) {
        co_await exchange.respond_error(Error{Errc::not_found, "the node is unknown", {}});
    } else if (exchange.head().method == net::Method::del) {
        net::Response gone;
        gone.status = 204;
        co_await exchange.respond(std::move(gone));
    } else if (exchange.body().contains("deadline_ms")) {
        co_await answer(exchange, busy_node());
    } else {
        api::NodeInfo node;
        node.node_id = NodeId("gpu-1");
        node.version = exchange.head().target + exchange.body();
        co_await answer(exchange, api::to_json(node));
    }
}

// Changes of a pool, each answered with the pool; what was said is its last error.
Task<void> change_pool(net::Exchange& exchange) {
    if (exchange.param("pool") != "chat") {
        co_await exchange.respond_error(Error{Errc::not_found, "the pool is unknown", {}});
        co_return;
    }
    api::PoolInfo pool;
    pool.node_id = NodeId("gpu-1");
    pool.pool_id = PoolId("chat");
    pool.last_error = exchange.head().target + exchange.body();
    std::string body = api::to_json(pool);
    co_await answer(exchange, std::move(body));
}

// The message is what was asked.
Task<void> preview(net::Exchange& exchange) {
    api::TaskPreview told;
    told.code = "POOL_UNAVAILABLE";
    told.message = exchange.body();
    std::string body = api::to_json(told);
    co_await answer(exchange, std::move(body));
}

Task<void> whole_chat(net::Exchange& exchange) {
    net::Response response = net::json_response(
        200, R"({"choices":[{"message":{"role":"assistant","content":"Hello you"}}]})"
    );
    co_await exchange.respond(std::move(response));
}

// Plays a user who presses Ctrl-C in mid-stream, and tells when the client has hung up.
Task<void> interrupt_client(net::Exchange& exchange, std::promise<void>& hung_up) {
    kill(getpid(), SIGINT);
    while (!exchange.client_gone()) {
        if (!co_await exchange.edge().clock().sleep_for(std::chrono::milliseconds(2))) {
            co_return;
        }
    }
    hung_up.set_value();
}

Task<void> streamed_chat(net::Exchange& exchange, std::promise<void>& hung_up) {
    co_await exchange.begin(200, net::Headers(), std::nullopt);
    co_await exchange.write(kFirstChunk);
    if (exchange.body().contains("\"interrupt\"")) {
        co_await interrupt_client(exchange, hung_up);
        co_return;
    }
    const std::string_view rest = exchange.body().contains("\"break\"") ? kErrorEvent : kLastChunks;
    co_await exchange.write(rest);
    co_await exchange.end();
}

// Does what the model's name asks for.
Task<void> chat(net::Exchange& exchange, std::promise<void>& hung_up) {
    const std::string body = exchange.body();
    if (body.contains("\"unknown\"")) {
        co_await exchange.respond_error(Error{Errc::model_not_found, "no node lists it", {}});
    } else if (body.contains("\"echo\"")) {
        co_await exchange.respond_error(Error{Errc::conflict, body, {}});
    } else if (body.contains("\"stream\":true")) {
        co_await streamed_chat(exchange, hung_up);
    } else {
        co_await whole_chat(exchange);
    }
}

net::Route route(net::Method method, std::string path, net::Handler handler) {
    net::Route made;
    made.method = method;
    made.path = std::move(path);
    made.handler = std::move(handler);
    return made;
}

// A control plane with answers made beforehand.
class FakeServer {
public:
    FakeServer() {
        using net::Method;
        routes_.add(route(Method::get, "/v2/nodes", [](net::Exchange& exchange) {
            return answer(exchange, one_node());
        }));
        routes_.add(route(Method::post, "/v2/nodes/static", change_node));
        routes_.add(route(Method::post, "/v2/nodes/{id}/{what}", change_node));
        routes_.add(route(Method::del, "/v2/nodes/{id}", change_node));
        routes_.add(route(Method::post, "/v2/pools/{pool}/{what}", change_pool));
        routes_.add(route(Method::post, "/v2/nodes/{node}/pools/{pool}/{what}", change_pool));
        routes_.add(route(Method::post, "/v2/tasks/preview", preview));
        routes_.add(route(Method::get, "/v2/pools", [](net::Exchange& exchange) {
            return answer(exchange, one_broken_pool());
        }));
        routes_.add(route(Method::get, "/v1/models", [](net::Exchange& exchange) {
            return answer(exchange, one_model());
        }));
        routes_.add(route(Method::post, "/v1/chat/completions", [this](net::Exchange& exchange) {
            return chat(exchange, hung_up_);
        }));
        server_ = std::make_unique<net::HttpServer>(
            std::vector<net::Edge*>{&edge_}, net::ServerSpec{routes_, {}, {}, {}}, log_
        );
        address_ = server_->bind({"127.0.0.1", 0}).value();
        edge_.start();
        server_->start();
    }

    ~FakeServer() {
        server_->stop_accepting();
        edge_.stop();
    }

    std::string url() const { return "http://" + to_string(address_); }

    // Whether the client of an interrupted stream has hung up, or does so soon.
    bool client_hung_up() {
        return hung_up_.get_future().wait_for(std::chrono::seconds(10)) ==
               std::future_status::ready;
    }

private:
    std::promise<void> hung_up_;
    async::RealClock clock_;
    CapturedLog lines_;
    LogSink sink_{{}, clock_, lines_};
    Logger log_{sink_, "test"};
    net::Edge edge_{0, clock_, log_};
    net::RouteTable routes_;
    std::unique_ptr<net::HttpServer> server_;
    HostPort address_;
};

struct Ran {
    ExitCode code;
    std::string out;
    std::string err;
};

Ran run(std::vector<std::string> arguments, Environment environment, std::string input = "") {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const SystemClock clock;
    Console console{in, out, err, false, {}};
    const ExitCode code = run_llorch(std::move(arguments), environment, clock, console);
    return {code, out.str(), err.str()};
}

class Llorch : public testing::Test {
protected:
    Ran call(std::vector<std::string> arguments, std::string input = "") {
        const Environment environment{
            {"LLORCH_URL", server_.url()}, {"LLORCH_API_TOKEN", std::string(kToken)}
        };
        return run(std::move(arguments), environment, std::move(input));
    }

    FakeServer server_;
};

TEST_F(Llorch, PrintsTables) {
    const Ran nodes = call({"nodes"});
    EXPECT_EQ(nodes.code, ExitCode::ok) << nodes.err;
    EXPECT_TRUE(nodes.out.starts_with("NODE ")) << nodes.out;
    EXPECT_NE(nodes.out.find("\ngpu-1  Registering"), std::string::npos);
    EXPECT_NE(call({"pools"}).out.find("    error: the engine is gone\n"), std::string::npos);
    EXPECT_NE(call({"models"}).out.find("tiny"), std::string::npos);
    EXPECT_NE(call({"models"}).out.find("small\n"), std::string::npos);
}

TEST_F(Llorch, PrintsTheServersBodyAsItCame) {
    EXPECT_EQ(call({"nodes", "--json"}).out, one_node());
    EXPECT_EQ(call({"pools", "--json"}).out, one_broken_pool());
    EXPECT_EQ(call({"models", "--json"}).out, one_model());
}

TEST_F(Llorch, ChangesOneNode) {
    const Ran added = call({"nodes", "add", "http://10.0.0.7:9200"});
    EXPECT_EQ(added.code, ExitCode::ok) << added.err;
    EXPECT_NE(
        added.out.find(R"(/v2/nodes/static{"url":"http://10.0.0.7:9200"})"), std::string::npos
    ) << added.out;
    EXPECT_NE(call({"nodes", "cordon", "gpu-1"}).out.find("/gpu-1/cordon"), std::string::npos);
    EXPECT_NE(call({"nodes", "uncordon", "gpu-1"}).out.find("/gpu-1/uncordon"), std::string::npos);
    EXPECT_EQ(call({"nodes", "remove", "gpu-1"}).out, "gpu-1 is removed\n");
    EXPECT_EQ(call({"nodes", "remove", "gpu-1", "--json"}).out, "");
    EXPECT_EQ(call({"nodes", "remove", "gpu-9"}).code, ExitCode::not_found);
    EXPECT_EQ(call({"nodes", "cordon", "../pools"}).code, ExitCode::usage);
}

TEST_F(Llorch, ChangesOnePool) {
    const Ran preload = call({"pools", "preload", "chat"});
    EXPECT_EQ(preload.code, ExitCode::ok) << preload.err;
    EXPECT_NE(preload.out.find("/v2/pools/chat/preload\n"), std::string::npos) << preload.out;
    const Ran drain = call({"pools", "drain", "gpu-1/chat", "--wait-secs", "5"});
    EXPECT_NE(
        drain.out.find(R"(/v2/nodes/gpu-1/pools/chat/drain{"deadline_ms":5000})"), std::string::npos
    ) << drain.out;
    const Ran reload = call({"pools", "reload", "chat", "/m/b.gguf"});
    EXPECT_NE(
        reload.out.find(
            R"(/v2/pools/chat/reload{"new_model_ref":"/m/b.gguf","drain_deadline_ms":60000})"
        ),
        std::string::npos
    ) << reload.out;
    EXPECT_TRUE(call({"pools", "drain", "chat", "--json"}).out.starts_with("{"));
    const Ran unknown = call({"pools", "preload", "gpu-1/none"});
    EXPECT_EQ(unknown.code, ExitCode::not_found);
    EXPECT_NE(unknown.err.find("the pool is unknown"), std::string::npos) << unknown.err;
    for (const char* wrong : {"a/b/c", "/chat", "chat/", "a b"}) {
        EXPECT_EQ(call({"pools", "drain", wrong}).code, ExitCode::usage) << wrong;
    }
}

TEST_F(Llorch, ExplainsWhereARequestWouldGo) {
    const Ran ran = call({"explain", "tiny", "--node", "gpu-1", "--avoid", "p", "--session", "s"});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_TRUE(ran.out.starts_with("nowhere: POOL_UNAVAILABLE: {")) << ran.out;
    for (const char* part :
         {R"("model":"tiny")",
          R"("node_id":"gpu-1")",
          R"("avoid_pools":["p"])",
          R"("session_id":"s")"}) {
        EXPECT_NE(ran.out.find(part), std::string::npos) << part << " of " << ran.out;
    }
    for (const char* part : {"allow_fallback", "labels"}) {
        EXPECT_EQ(ran.out.find(part), std::string::npos) << "what is not said is not sent";
    }
    EXPECT_NE(
        call({"explain", "tiny", "--label", "zone=a"}).out.find(R"("labels":{"zone":"a"})"),
        std::string::npos
    );
    const Ran wrong = call({"explain", "tiny", "--label", "zone"});
    EXPECT_EQ(wrong.code, ExitCode::usage);
    EXPECT_NE(wrong.err.find("--label: 'zone' is not of the form"), std::string::npos) << wrong.err;
    EXPECT_TRUE(call({"explain", "tiny", "--json"}).out.starts_with("{"));
}

TEST_F(Llorch, ADrainThatRunsOutOfTimeFails) {
    const Ran drained = call({"nodes", "drain", "gpu-1", "--wait-secs", "0"});
    EXPECT_EQ(drained.code, ExitCode::refused);
    EXPECT_NE(drained.out.find("Draining"), std::string::npos) << drained.out;
    EXPECT_NE(drained.err.find("2 slots are still busy"), std::string::npos) << drained.err;
}

TEST_F(Llorch, PrintsAStreamedAnswer) {
    const Ran ran = call({"run", "tiny", "hi"});
    EXPECT_EQ(ran.code, ExitCode::ok) << ran.err;
    EXPECT_EQ(ran.out, "Hello you\n");
    EXPECT_EQ(
        call({"run", "tiny", "hi", "--json"}).out,
        std::string(kFirstChunk) + std::string(kLastChunks)
    );
}

TEST_F(Llorch, PrintsAnAnswerThatComesInOnePiece) {
    EXPECT_EQ(call({"run", "tiny", "hi", "--no-stream"}).out, "Hello you\n");
}

TEST_F(Llorch, ReadsThePromptFromStandardInput) {
    const Ran ran = call({"run", "echo", "-"}, "one\ntwo");
    EXPECT_EQ(ran.code, ExitCode::refused);
    EXPECT_NE(ran.err.find(R"("role":"user","content":"one\ntwo")"), std::string::npos) << ran.err;
}

TEST_F(Llorch, EndsWithTheErrorOfAStream) {
    const Ran ran = call({"run", "break", "hi"});
    EXPECT_EQ(ran.code, ExitCode::refused);
    EXPECT_EQ(ran.out, "Hello\n");
    EXPECT_TRUE(ran.err.starts_with("llorch: WORKER_RESET: the node died")) << ran.err;
}

TEST_F(Llorch, ClosesTheRequestOnControlC) {
    const Ran ran = call({"run", "interrupt", "hi"});
    EXPECT_EQ(ran.code, ExitCode::interrupted);
    EXPECT_EQ(ran.err, "");
    EXPECT_TRUE(server_.client_hung_up());
}

TEST_F(Llorch, TellsWhatTheServerSays) {
    const Ran unknown = call({"run", "unknown", "hi"});
    EXPECT_EQ(unknown.code, ExitCode::not_found);
    EXPECT_TRUE(unknown.err.starts_with("llorch: MODEL_NOT_FOUND: ")) << unknown.err;
    EXPECT_EQ(call({"health"}).code, ExitCode::not_found);
    const Ran stranger = call({"nodes", "--api-token", "somebody-elses-token"});
    EXPECT_EQ(stranger.code, ExitCode::unauthorised);
    EXPECT_NE(stranger.err.find("BAD_TOKEN"), std::string::npos);
    EXPECT_EQ(stranger.err.find("somebody-elses-token"), std::string::npos);
    EXPECT_EQ(stranger.out, "");
}

TEST(LlorchAlone, SaysThatNobodyAnswers) {
    const Ran ran = run({"nodes"}, {{"LLORCH_URL", "http://127.0.0.1:1"}});
    EXPECT_EQ(ran.code, ExitCode::unreachable);
    EXPECT_TRUE(ran.err.starts_with("llorch: cannot reach http://127.0.0.1:1: ")) << ran.err;
}

TEST(LlorchAlone, SaysThatAServerSpeaksNoTls) {
    net::TestCa ca("llorch");
    const Ran ran =
        run({"nodes"}, {{"LLORCH_URL", "https://127.0.0.1:1"}, {"LLORCH_TLS_CA", ca.ca_file()}});
    EXPECT_EQ(ran.code, ExitCode::unreachable);
    EXPECT_TRUE(ran.err.starts_with("llorch: cannot reach https://127.0.0.1:1: ")) << ran.err;
}

TEST(LlorchAlone, MakesATokenAndKeepsItFromPipes) {
    const std::string path =
        testing::TempDir() + std::to_string(getpid()) + "-llorch_loopback_test.token";
    std::filesystem::remove(path);
    const std::vector<std::string> arguments{"token", "new", "--out", path};
    const Ran made = run(arguments, {});
    EXPECT_EQ(made.code, ExitCode::ok) << made.err;
    std::string token;
    std::ifstream(path) >> token;
    EXPECT_EQ(token.size(), 64U);
    EXPECT_EQ(made.out.find(token), std::string::npos);
    EXPECT_NE(made.out.find("--api-token-file " + path), std::string::npos);
    EXPECT_EQ(run(arguments, {}).code, ExitCode::usage);
    std::filesystem::remove(path);
}

TEST(LlorchAlone, ShowsTheTokenOnATerminal) {
    const std::string path =
        testing::TempDir() + std::to_string(getpid()) + "-llorch_loopback_test.shown";
    std::filesystem::remove(path);
    std::istringstream in;
    std::ostringstream out;
    const SystemClock clock;
    Console console{in, out, out, true, {}};
    EXPECT_EQ(run_llorch({"token", "new", "--out", path}, {}, clock, console), ExitCode::ok);
    std::string token;
    std::ifstream(path) >> token;
    const std::string text = out.str();
    const std::size_t first = text.find(token);
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(text.find(token, first + 1), std::string::npos) << "shown more than once";
    std::filesystem::remove(path);
}

TEST(LlorchAlone, TellsItsVersionWithoutAServer) {
    const Ran ran = run({"version"}, {});
    EXPECT_EQ(ran.code, ExitCode::ok);
    EXPECT_TRUE(ran.out.starts_with("llorch ")) << ran.out;
}

}  // namespace
}  // namespace orch::llorch
