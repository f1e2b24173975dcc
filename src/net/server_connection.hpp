#pragma once

#include "net/connection.hpp"
#include "net/exchange.hpp"
#include "net/http_parser.hpp"
#include "net/http_server.hpp"

namespace orch::net {

// One client's connection: reads request after request, sends each through the server's checks to
// its handler and reports it. On its edge's thread, in one task.
class ServerConnection {
public:
    // `home_only`: it came in at the private address.
    ServerConnection(HttpServer& server, Edge& edge, Socket socket, bool home_only);

    // Returns when the connection has ended.
    Task<void> run();

private:
    enum class Next { another, close, linger };

    Task<Next> start_tls(TlsContextPtr context);
    Task<Result<bool>> read_head();  // false: the client closed between two requests
    Task<Next> serve_one();
    Next after(const Exchange& exchange) const;
    Task<Next> refuse(Error error);
    Task<void> answer(Exchange& exchange);
    Result<void> route_and_check(Exchange& exchange);
    void skip_body();
    Task<Result<void>> read_body(Exchange& exchange);
    Task<void> run_handler(Exchange& exchange);
    void identify(Exchange& exchange);

    HttpServer& server_;
    Edge& edge_;
    Connection connection_;
    HttpParser parser_{HttpParser::Kind::request};
    Rng rng_;
    bool home_only_;
};

}  // namespace orch::net
