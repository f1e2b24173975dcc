#pragma once

#include "api/node_messages.hpp"
#include "async/async_clock.hpp"
#include "base/log.hpp"
#include "net/http_server.hpp"

#include <atomic>
#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace orch::loopback {

// What a fake node does with one request for its engine, or to change a pool.
struct Script {
    static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

    int status = 200;
    std::string type = "application/json";
    std::string origin = "engine";  // who answers, as nodes mark it; empty: not marked
    std::vector<std::string> pieces;
    bool with_length = true;  // else chunked, a chunk per piece
    std::size_t gate_before =
        kNever;                       // waits for open_gate() before this piece; 0: before the head
    std::size_t cut_before = kNever;  // breaks off before this piece; 0: before the head
    net::Headers headers;             // more of them
};

Script answer(std::string body, int status = 200);
Script stream(std::vector<std::string> pieces);

// The node's own refusal, as its error body says it.
Script refusal(int status, std::string code);

// A node without engines: it answers GET /v2/node and plays scripts for /v2/pools/{p}/engine/...,
// /v2/pools/{p}/preload, /drain and /reload.
class FakeNode {
public:
    struct Seen {
        std::string target;
        net::Headers headers;
        std::string body;
    };

    FakeNode(std::string id, async::AsyncClock& clock, LogSink& sink);
    ~FakeNode();

    void stop();  // nobody listens any more

    const std::string& id() const { return id_; }

    HostPort address() const { return address_; }

    std::string url() const { return "http://" + to_string(address_); }

    void play(Script script);       // for every request from now on
    void play_next(Script script);  // for one of the next requests, before that
    void set_status_answer(int status, std::string body);  // of GET /v2/node

    // It is of the earlier wire format; `pool_status`: what its pool `default` says, "" = it has
    // none.
    void be_earlier(std::string pool_status);

    void open_gate() { gate_ = true; }

    std::vector<Seen> seen() const;
    bool wait_seen(std::size_t count) const;

    // Requests whose caller left before the answer was complete.
    bool wait_left(std::size_t count) const;

    std::string token() const;  // the last Authorization of GET /v2/node

private:
    Task<void> show_status(net::Exchange& exchange);
    Task<void> show_earlier(net::Exchange& exchange, bool of_pool);
    Task<void> play(net::Exchange& exchange);
    Task<bool> wait_for_gate(net::Exchange& exchange);
    Script next_script();

    std::string id_;
    async::AsyncClock& clock_;
    net::Edge edge_;
    net::RouteTable routes_;
    std::unique_ptr<net::HttpServer> server_;
    HostPort address_;
    bool stopped_ = false;

    std::atomic<bool> gate_{false};
    std::atomic<std::size_t> left_{0};
    mutable std::mutex mutex_;
    Script usual_;
    std::deque<Script> next_;
    int status_code_ = 200;
    std::string status_body_;
    std::optional<std::string> earlier_pool_;
    std::vector<Seen> seen_;
    std::string token_;
};

// A ready pool as a heartbeat reports it.
api::PoolReport ready_pool(std::string id, std::string model, std::uint32_t slots = 4);

}  // namespace orch::loopback
