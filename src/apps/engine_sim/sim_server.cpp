#include "apps/engine_sim/sim_server.hpp"

#include "apps/engine_sim/generation.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace orch::engine_sim {
namespace {

constexpr Duration kIdleLimit = std::chrono::seconds(5);
constexpr int kRequestsPerConnection = 100;
constexpr int kBacklog = 1024;
constexpr Duration kWriteLimit = std::chrono::seconds(60);

void report_bug(const std::string& what) {
    fmt::print(stderr, "error: a task ended with an exception: {}\n", what);
}

bool is_read(net::Method method) {
    return method == net::Method::get || method == net::Method::head;
}

std::optional<AnswerShape> generation_shape(const net::RequestHead& head) {
    if (head.method == net::Method::post && head.path() == "/v1/chat/completions") {
        return AnswerShape::chat;
    }
    if (head.method == net::Method::post && head.path() == "/v1/completions") {
        return AnswerShape::text;
    }
    if (head.method == net::Method::post && head.path() == "/completion") {
        return AnswerShape::raw;
    }
    return std::nullopt;
}

Refusal not_supported(std::string_view what, std::string_view flag) {
    return {
        501,
        "not_supported_error",
        fmt::format("This server does not support {}. Start it with `{}`", what, flag),
    };
}

}  // namespace

SimServer::SimServer(const SimOptions& options, async::AsyncClock& clock, asio::io_context& context)
    : context_(context),
      engine_(options, clock, system_seed()),
      acceptor_(context.get_executor()),
      deadlines_(clock),
      timers_(context.get_executor(), report_bug),
      connections_(context.get_executor(), report_bug) {}

Result<HostPort> SimServer::bind() {
    boost::system::error_code failure;
    const std::string& host = engine_.options.host;
    const auto ip = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, failure);
    const asio::ip::tcp::endpoint endpoint(ip, engine_.options.port);
    if (!failure) {
        acceptor_.open(endpoint.protocol(), failure);
    }
    if (!failure) {
        acceptor_.set_option(asio::socket_base::reuse_address(true), failure);
        acceptor_.bind(endpoint, failure);
    }
    if (!failure) {
        acceptor_.listen(kBacklog, failure);
    }
    if (failure) {
        return fail(
            Errc::conflict,
            fmt::format(
                "couldn't bind HTTP server socket, hostname: {}, port: {}: {}",
                host,
                engine_.options.port,
                failure.message()
            )
        );
    }
    return HostPort{host, acceptor_.local_endpoint().port()};
}

void SimServer::start(std::function<void()> on_loaded) {
    timers_.spawn(deadlines_.run());
    timers_.spawn(announce_loaded(std::move(on_loaded)));
    connections_.spawn(accept_loop());
}

Task<void> SimServer::announce_loaded(std::function<void()> on_loaded) {
    const Instant when = engine_.loaded_at;
    const bool loaded = co_await engine_.clock.sleep_until(when);
    if (loaded) {
        on_loaded();
    }
}

Task<void> SimServer::accept_loop() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        net::Socket socket(context_.get_executor());
        const auto [failure] = co_await acceptor_.async_accept(socket, use_tuple);
        if (!acceptor_.is_open() || failure == asio::error::operation_aborted) {
            co_return;
        }
        if (!failure) {
            connections_.spawn(serve(std::move(socket)));
        }
    }
}

void SimServer::stop(std::function<void()> on_idle) {
    engine_.stopping = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    if (engine_.running.empty()) {
        on_idle();
        return;
    }
    on_idle_ = std::move(on_idle);
    for (Alarm* alarm : engine_.running) {
        alarm->ring();
    }
}

Task<void> SimServer::wind_down() {
    connections_.cancel();
    co_await connections_.join();
    timers_.cancel();
}

Task<void> SimServer::serve(net::Socket socket) {
    co_await asio::this_coro::throw_if_cancelled(false);
    net::Connection connection(std::move(socket), deadlines_);
    for (int served = 1; served <= kRequestsPerConnection; ++served) {
        Request request;
        const bool complete = co_await read_request(connection, request);
        if (!complete) {
            break;
        }
        request.traits.close = request.traits.close || served == kRequestsPerConnection;
        const bool goes_on = co_await answer(connection, std::move(request));
        connection.consume(connection.buffered().size());
        if (!goes_on || engine_.stopping) {
            break;
        }
    }
    connection.close();
}

Task<bool> SimServer::read_request(net::Connection& connection, Request& request) {
    net::HttpParser parser(net::HttpParser::Kind::request);
    bool invited = false;
    while (!parser.message_done()) {
        const auto used = parser.feed(connection.buffered());
        if (!used) {
            co_return false;
        }
        for (const std::string_view piece : parser.body()) {
            request.body += piece;
        }
        connection.consume(*used);
        if (parser.message_done() || *used > 0) {
            continue;
        }
        if (parser.head_done() && !invited && parser.request().headers.find("Expect")) {
            invited = true;
            std::vector<asio::const_buffer> interim;
            interim.emplace_back("HTTP/1.1 100 Continue\r\n\r\n", 25);
            co_await connection.write(std::move(interim), kWriteLimit);
        }
        const net::ReadEnd read = co_await connection.fill(kIdleLimit);
        if (read != net::ReadEnd::data) {
            co_return false;
        }
    }
    request.head = std::move(parser.request());
    request.traits = HeadTraits{
        .origin = std::string(request.head.headers.find("Origin").value_or("")),
        .close = request.head.headers.has_token("Connection", "close"),
        .head = request.head.method == net::Method::head,
    };
    co_return true;
}

Task<bool> SimServer::answer(net::Connection& connection, Request request) {
    if (request.head.method == net::Method::options) {
        const std::string preflight = preflight_answer(request.traits);
        std::vector<asio::const_buffer> pieces{asio::buffer(preflight)};
        co_return co_await connection.write(std::move(pieces), kWriteLimit);
    }
    const auto shape = generation_shape(request.head);
    if (shape && !engine_.loading()) {
        co_return co_await generate(connection, *shape, std::move(request));
    }
    Reply at_once = answer_at_once(request);
    co_return co_await reply(connection, std::move(at_once), std::move(request.traits));
}

Task<bool> SimServer::reply(net::Connection& connection, Reply reply, HeadTraits traits) {
    std::string bytes = json_head(reply.status, reply.body.size(), traits);
    bytes += traits.head ? "" : reply.body;
    std::vector<asio::const_buffer> pieces{asio::buffer(bytes)};
    const bool sent = co_await connection.write(std::move(pieces), kWriteLimit);
    co_return sent && !traits.close;
}

std::optional<Refusal> SimServer::refused(const SimRequest& request) const {
    if (const auto status = engine_.options.refuse) {
        const bool unavailable = *status == 503;
        return Refusal{
            *status,
            unavailable ? "unavailable_error" : "server_error",
            unavailable ? "no slot available" : "refused as told",
        };
    }
    const std::uint32_t ctx = engine_.options.ctx_per_slot();
    if (request.prompt_tokens >= ctx) {
        return Refusal{
            400,
            "exceed_context_size_error",
            fmt::format(
                "request ({} tokens) exceeds the available context size ({} tokens), try "
                "increasing it",
                request.prompt_tokens,
                ctx
            ),
            request.prompt_tokens,
            ctx,
        };
    }
    return std::nullopt;
}

Task<bool> SimServer::generate(net::Connection& connection, AnswerShape shape, Request request) {
    auto read = shape == AnswerShape::chat  ? read_chat_request(request.body)
                : shape == AnswerShape::raw ? read_raw_request(request.body, engine_.vocabulary)
                                            : read_text_request(request.body);
    auto refusal = read ? refused(*read) : std::optional(read.error());
    if (refusal) {
        Reply error{refusal->status, error_json(*refusal)};
        co_return co_await reply(connection, std::move(error), std::move(request.traits));
    }
    bool goes_on = false;
    {
        Generation generation(engine_, connection, std::move(*read), std::move(request.traits));
        goes_on = co_await generation.run();
    }
    if (engine_.stopping && engine_.running.empty() && on_idle_) {
        std::exchange(on_idle_, nullptr)();
    }
    co_return goes_on;
}

SimServer::Reply SimServer::answer_at_once(const Request& request) {
    const std::string_view path = request.head.path();
    if (engine_.loading() && path != "/") {
        return {503, routing_error_json({503, "unavailable_error", "Loading model"})};
    }
    if (request.head.method == net::Method::post) {
        return answer_question(request);
    }
    if (is_read(request.head.method)) {
        if (path == "/health" || path == "/v1/health") {
            return {200, R"({"status":"ok"})"};
        }
        if (path == "/props") {
            return {200, props_json(engine_.options)};
        }
        if (path == "/v1/models" || path == "/models") {
            return {200, models_json(engine_.options, unix_ms(engine_.clock.wall()) / 1000)};
        }
        if (path == "/slots") {
            return answer_slots(request);
        }
        if (path == "/metrics") {
            return {501, error_json(not_supported("metrics endpoint", "--metrics"))};
        }
    }
    return {404, routing_error_json({404, "not_found_error", "File Not Found"})};
}

SimServer::Reply SimServer::answer_slots(const Request& request) {
    if (!engine_.options.slots_endpoint) {
        return {501, error_json(not_supported("slots endpoint", "--slots"))};
    }
    engine_.last_result = engine_.clock.now();
    if (request.head.query() == "fail_on_no_slot=1" && engine_.slots.all_busy()) {
        return {503, error_json({503, "unavailable_error", "no slot available"})};
    }
    return {200, slots_json(engine_.options, engine_.slots)};
}

SimServer::Reply SimServer::answer_question(const Request& request) {
    const std::string_view path = request.head.path();
    if (path == "/props") {
        if (engine_.options.props_writable) {
            return {200, R"({"success":true})"};
        }
        return {501, error_json(not_supported("changing global properties", "--props"))};
    }
    if (path == "/v1/embeddings") {
        return {501, error_json(not_supported("embeddings", "--embeddings"))};
    }
    if (path == "/v1/rerank") {
        return {501, error_json(not_supported("reranking", "--reranking"))};
    }
    if (path == "/tokenize") {
        const auto text = read_tokenize_request(request.body);
        if (!text) {
            return {text.error().status, error_json(text.error())};
        }
        return {200, tokens_json(engine_.vocabulary.tokenize(*text))};
    }
    if (path != "/apply-template" && path != "/v1/chat/completions/input_tokens") {
        return {404, routing_error_json({404, "not_found_error", "File Not Found"})};
    }
    const auto read = read_chat_request(request.body);
    if (!read) {
        return {read.error().status, error_json(read.error())};
    }
    return {200, path == "/apply-template" ? template_json(*read) : input_tokens_json(*read)};
}

}  // namespace orch::engine_sim
