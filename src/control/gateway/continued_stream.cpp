#include "control/gateway/continued_stream.hpp"

#include "engine/llama_completion.hpp"

#include <fmt/format.h>

namespace orch::control::gateway {

std::string ContinuedStream::translate(const engine::Event& raw) {
    if (engine::is_error(raw.data)) {
        return fmt::format("data: {}\n\n", raw.data);
    }
    const auto event = engine::parse_completion_event(raw.data);
    if (!event) {
        return {};
    }
    std::string events = event->text.empty() ? "" : writer_.text(event->text);
    if (event->last) {
        events += end(event->cut, event->generated);
    }
    return events;
}

std::string ContinuedStream::end_at_limit() {
    return end(true, 0);
}

std::string ContinuedStream::end(bool cut, std::uint64_t generated) {
    usage_ = {figures_.prompt_tokens, figures_.text_tokens + generated};
    return writer_.end(cut, usage_, figures_.include_usage);
}

}  // namespace orch::control::gateway
