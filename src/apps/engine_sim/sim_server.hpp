#pragma once

#include "apps/engine_sim/engine_state.hpp"
#include "apps/engine_sim/sim_options.hpp"
#include "apps/engine_sim/wire_format.hpp"
#include "async/async_clock.hpp"
#include "async/task_group.hpp"
#include "base/host_port.hpp"
#include "base/result.hpp"
#include "net/connection.hpp"
#include "net/deadline_list.hpp"
#include "net/http_message.hpp"
#include "net/http_parser.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>

#include <functional>
#include <optional>
#include <string>

namespace orch::engine_sim {

// The simulated engine's HTTP server. Speaks HTTP by itself, because net/http_server does what a
// good server does: llama-server's habits are what this program is for.
//   * a stream ends its connection, though the head said Keep-Alive; the 100th answer does too
//   * errors say "Connection: close", and the connection goes on; idle ones close after 5 s
//   * a pipelined request is lost; a wrong method is 404
// Everything on the thread of `context`.
class SimServer {
public:
    // Requires: options, clock and context outlive the server.
    SimServer(const SimOptions& options, async::AsyncClock& clock, asio::io_context& context);

    // Errors: conflict, naming the address and the system's reason.
    Result<HostPort> bind();

    // Begins to serve. `on_loaded` is called once the model would be there.
    void start(std::function<void()> on_loaded);

    bool loading() const { return engine_.loading(); }

    // Stops listening and generating; what runs hangs until its client leaves. `on_idle` is called
    // once nothing runs.
    void stop(std::function<void()> on_idle);

    // Cancels everything that is left and returns when it is gone.
    Task<void> wind_down();

private:
    struct Request {
        net::RequestHead head;
        std::string body;
        HeadTraits traits;
    };

    struct Reply {
        int status = 200;
        std::string body;
    };

    using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

    Task<void> accept_loop();
    Task<void> announce_loaded(std::function<void()> on_loaded);
    Task<void> serve(net::Socket socket);
    Task<bool> read_request(net::Connection& connection, Request& request);
    Task<bool> answer(net::Connection& connection, Request request);
    Task<bool> reply(net::Connection& connection, Reply reply, HeadTraits traits);
    Task<bool> generate(net::Connection& connection, AnswerShape shape, Request request);
    Reply answer_at_once(const Request& request);
    Reply answer_question(const Request& request);
    Reply answer_slots(const Request& request);
    std::optional<Refusal> refused(const SimRequest& request) const;

    asio::io_context& context_;
    EngineState engine_;
    Acceptor acceptor_;
    net::DeadlineList deadlines_;
    async::TaskGroup timers_;
    async::TaskGroup connections_;
    std::function<void()> on_idle_;
};

}  // namespace orch::engine_sim
