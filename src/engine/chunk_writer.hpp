#pragma once

#include "base/result.hpp"
#include "engine/resume_request.hpp"
#include "engine/usage.hpp"

#include <string>
#include <string_view>

namespace orch::engine {

// Writes events of /v1/chat/completions or /v1/completions that go on with a stream: id, created,
// model and whatever else its events have are those of one that was sent before. Pure.
class ChunkWriter {
public:
    // `sent`: the data of an event of the stream. Errors: invalid_params.
    static Result<ChunkWriter> make(StreamShape shape, std::string_view sent);

    // An event with more text.
    std::string text(std::string_view more) const;

    // The end of the stream: its finish, the usage where the shape or the client wants it, [DONE].
    std::string end(bool cut, const Usage& usage, bool include_usage) const;

private:
    ChunkWriter(StreamShape shape, std::string envelope)
        : shape_(shape), envelope_(std::move(envelope)) {}

    std::string chat_end(std::string_view reason, std::string_view usage, bool include) const;
    std::string event(std::string_view choices, std::string_view more) const;

    StreamShape shape_;
    std::string envelope_;  // `,"id":...` and so on: what follows the choices
};

}  // namespace orch::engine
