#pragma once

#include "api/error_body.hpp"
#include "async/task.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "net/headers.hpp"
#include "net/http_message.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace orch::control::gateway {

// How a request was served.
struct RunSummary {
    std::optional<PoolKey> place;      // where it had a slot last
    std::optional<MachineId> machine;  // of that place
    std::uint32_t attempts = 0;        // places that took it
    std::optional<std::uint64_t> tokens;
};

// Who asked for an answer: a client's exchange or a task. Gives the request to an InferenceRun and
// takes the answer from it: refuse(), respond(), or begin(), write()... and end() or break_off().
// Those that return a bool say false when nobody wants the rest. On one edge's thread; outlives the
// run. A call costs one indirection per piece of an answer; an implementation that passes bytes on
// returns the inner task and adds no coroutine.
class Caller {
public:
    Caller() = default;
    virtual ~Caller() = default;
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    // --- the request; POST, what is viewed lives as long as the caller
    virtual std::string_view target() const = 0;  // "/v1/chat/completions", with a query
    virtual std::string_view body() const = 0;
    virtual const CorrelationId& correlation() const = 0;
    virtual std::string_view traceparent() const = 0;
    virtual net::Headers headers_for_node(const std::string& token) const = 0;

    // --- the answer
    // Before the first byte: this place serves it, at the so manieth attempt.
    virtual void served_by(const PoolKey& pool, std::uint32_t attempt) = 0;
    virtual Task<bool> respond(net::Response response) = 0;
    virtual Task<bool> begin(int status, net::Headers headers, std::optional<Bytes> length) = 0;
    virtual Task<bool> write(std::string_view bytes) = 0;
    virtual Task<bool> end() = 0;
    virtual Task<void> refuse(Error error, api::ErrorDetails details) = 0;
    virtual Task<void> break_off(Error error, bool event_stream) = 0;

    // --- leaving; `react` is called once if the caller leaves from now on, empty takes it back
    virtual bool gone() const = 0;
    virtual void on_gone(std::function<void()> react) = 0;

    // The run is over, whatever became of it.
    virtual void closed(const RunSummary& summary) = 0;
};

}  // namespace orch::control::gateway
