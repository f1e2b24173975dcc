#pragma once

#include "engine/chunk_writer.hpp"
#include "engine/sse.hpp"
#include "engine/usage.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace orch::control::gateway {

// Turns the events of a raw completion into those of the stream that it goes on with. Pure; one per
// raw completion.
class ContinuedStream {
public:
    struct Figures {
        std::uint64_t prompt_tokens = 0;  // of the original prompt
        std::uint64_t text_tokens = 0;    // of the text that was sent before
        bool include_usage = false;       // the client asked for it
    };

    ContinuedStream(engine::ChunkWriter writer, Figures figures)
        : writer_(std::move(writer)), figures_(figures) {}

    // What the client gets for this event; an error passes as it is.
    std::string translate(const engine::Event& raw);

    // The end of an answer that had all its tokens before.
    std::string end_at_limit();

    // Of the whole answer; complete once its end was written.
    const engine::Usage& usage() const { return usage_; }

private:
    std::string end(bool cut, std::uint64_t generated);

    engine::ChunkWriter writer_;
    Figures figures_;
    engine::Usage usage_;
};

}  // namespace orch::control::gateway
