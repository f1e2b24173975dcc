#include "control/gateway/answer_record.hpp"
#include "engine/chunk_writer.hpp"
#include "engine/llama_completion.hpp"
#include "engine/sse.hpp"
#include "fuzz/expect.hpp"

// What a continuation reads: the client's request, the events of the answer, the engine's answers.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    for (const auto shape : {engine::StreamShape::chat, engine::StreamShape::text}) {
        if (const auto request = engine::ResumeRequest::read(shape, text)) {
            const std::string body = request->completion_body(engine::TokenIds{1, 2}, 3);
            fuzz::expect(body.contains("\"n_predict\":3"), "the limit is the one that is left");
        }
        control::gateway::AnswerRecord record(shape, kMiB);
        engine::EventReader reader(text);
        while (const auto event = reader.next()) {
            record.sent(*event);
        }
        fuzz::expect(!record.can_go_on() || !record.untouched(), "what goes on has begun");
        record.text();
        if (const auto writer = engine::ChunkWriter::make(shape, text)) {
            const std::string written = writer->text("x");
            engine::EventReader own(written);
            const auto event = own.next();
            fuzz::expect(event && engine::is_token(*event), "what is written is an event");
        }
    }
    engine::parse_template_prompt(text);
    engine::parse_tokens(text);
    engine::parse_completion_event(text);
    return 0;
}
