#pragma once

#include "apps/engine_sim/answer_text.hpp"
#include "apps/engine_sim/engine_state.hpp"
#include "apps/engine_sim/sim_request.hpp"
#include "apps/engine_sim/wire_format.hpp"
#include "net/connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orch::engine_sim {

// One generation request from its place in the queue to its last byte. On the engine's thread.
//
//   queued --slot--> prompt --ttft--> decoding --last word--> answered
//      \______________\__________________\----- client left ----> abandoned
//
// As in llama-server, a running stream notices within a token that its client left; everything
// else only when a second passed without a result of any task.
class Generation {
public:
    Generation(
        EngineState& engine, net::Connection& connection, SimRequest request, HeadTraits traits
    );
    ~Generation();
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    // Whether the connection may serve another request; never after a stream.
    Task<bool> run();

private:
    enum class Until { slot, time };

    Task<bool> pause(Until until, Instant when);
    Task<bool> write_words();
    Task<bool> write_word(std::uint32_t i);
    std::string event_of(const std::string& word, std::uint32_t count);
    std::string last_chunks(std::string_view reason) const;
    Task<bool> finish();
    Task<bool> send(std::string bytes);
    Task<void> crash_inside(std::string bytes);
    void client_left();
    Instant noticed_at() const;
    Timings timings() const;

    EngineState& engine_;
    net::Connection& connection_;
    const SimRequest request_;
    const HeadTraits traits_;
    AnswerFrame frame_;
    AnswerText answer_;
    std::uint32_t words_ = 0;  // to write
    Alarm alarm_;
    SlotQueue::Place place_;
    const Instant came_;
    Instant began_{};  // got its slot
    Instant first_{};  // its first token is due
    Instant last_sent_{};
    std::optional<Instant> left_;  // the client
    bool streaming_ = false;       // the head of a stream is sent
    std::string text_;
};

}  // namespace orch::engine_sim
