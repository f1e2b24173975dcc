#pragma once

#include "control/gateway/caller.hpp"
#include "net/exchange.hpp"

namespace orch::control::gateway {

// A client's request over HTTP.
class ExchangeCaller final : public Caller {
public:
    explicit ExchangeCaller(net::Exchange& exchange) : exchange_(exchange) {}

    std::string_view target() const override { return exchange_.head().target; }

    std::string_view body() const override { return exchange_.body(); }

    const CorrelationId& correlation() const override { return exchange_.correlation(); }

    std::string_view traceparent() const override { return exchange_.traceparent(); }

    net::Headers headers_for_node(const std::string& token) const override;

    void served_by(const PoolKey& pool, std::uint32_t attempt) override;

    Task<bool> respond(net::Response response) override;
    Task<bool> begin(int status, net::Headers headers, std::optional<Bytes> length) override;

    Task<bool> write(std::string_view bytes) override { return exchange_.write(bytes); }

    Task<bool> end() override { return exchange_.end(); }

    Task<void> refuse(Error error, api::ErrorDetails details) override;

    // An event stream ends with an error event and without its last one; any other answer is cut
    // off, so that the client cannot take it for complete.
    Task<void> break_off(Error error, bool event_stream) override;

    bool gone() const override { return exchange_.client_gone(); }

    void on_gone(std::function<void()> react) override {
        exchange_.on_client_gone(std::move(react));
    }

    void closed(const RunSummary& summary) override;

private:
    void add_place(net::Headers& headers) const;

    net::Exchange& exchange_;
    PoolKey served_by_;
    std::uint32_t attempt_ = 0;
};

}  // namespace orch::control::gateway
