#include "engine/chunk_writer.hpp"

#include "base/json.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::engine {
namespace {

namespace bj = json::bj;

std::string quote(std::string_view text) {
    return json::serialize(bj::value(bj::string(text)));
}

std::string usage_json(const Usage& usage) {
    const std::uint64_t in = usage.tokens_in.value_or(0);
    const std::uint64_t out = usage.tokens_out.value_or(0);
    return fmt::format(
        R"(,"usage":{{"completion_tokens":{},"prompt_tokens":{},"total_tokens":{}}})",
        out,
        in,
        in + out
    );
}

}  // namespace

Result<ChunkWriter> ChunkWriter::make(StreamShape shape, std::string_view sent) {
    auto tree = json::parse(sent);
    if (!tree) {
        return std::unexpected(tree.error());
    }
    if (!tree->is_object()) {
        return fail(Errc::invalid_params, "the event: must be a JSON object");
    }
    bj::object& fields = tree->get_object();
    for (const std::string_view own : {"choices", "usage", "timings"}) {
        if (const auto at = fields.find(own); at != fields.end()) {
            fields.stable_erase(at);
        }
    }
    std::string envelope = json::serialize(fields);
    envelope = envelope.substr(1, envelope.size() - 2);
    if (!envelope.empty()) {
        envelope.insert(0, ",");
    }
    return ChunkWriter(shape, std::move(envelope));
}

std::string ChunkWriter::event(std::string_view choices, std::string_view more) const {
    return fmt::format("data: {{\"choices\":[{}]{}{}}}\n\n", choices, envelope_, more);
}

std::string ChunkWriter::text(std::string_view more) const {
    const std::string quoted_text = quote(more);
    if (shape_ == StreamShape::chat) {
        return event(
            fmt::format(
                R"({{"finish_reason":null,"index":0,"delta":{{"content":{}}}}})", quoted_text
            ),
            ""
        );
    }
    return event(
        fmt::format(R"({{"text":{},"index":0,"logprobs":null,"finish_reason":null}})", quoted_text),
        ""
    );
}

std::string ChunkWriter::chat_end(std::string_view reason, std::string_view usage, bool include)
    const {
    const std::string finish =
        fmt::format(R"({{"finish_reason":"{}","index":0,"delta":{{}}}})", reason);
    return event(finish, "") + (include ? event("", usage) : "");
}

// llama-server adds the usage to the last event of every text completion.
std::string ChunkWriter::end(bool cut, const Usage& usage, bool include_usage) const {
    const std::string_view reason = cut ? "length" : "stop";
    const std::string figures = usage_json(usage);
    const std::string last =
        shape_ == StreamShape::chat
            ? chat_end(reason, figures, include_usage)
            : event(
                  fmt::format(
                      R"({{"text":"","index":0,"logprobs":null,"finish_reason":"{}"}})", reason
                  ),
                  figures
              );
    return last + "data: [DONE]\n\n";
}

}  // namespace orch::engine
