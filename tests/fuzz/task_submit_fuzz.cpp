#include "api/inference_peek.hpp"
#include "api/json_fingerprint.hpp"
#include "api/task_submit.hpp"
#include "engine/delta.hpp"
#include "fuzz/expect.hpp"

// A task's body: what is accepted can be asked of an engine. And the reader of an engine's deltas.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    if (const auto message = api::from_json<api::TaskSubmit>(text)) {
        const api::EngineCall call = api::make_engine_call(*message);
        const auto peek = api::peek_inference(call.body);
        fuzz::expect(peek.has_value(), "the engine's body is sound");
        fuzz::expect(peek->model == message->model_name(), "it names the task's model");
        fuzz::expect(api::json_fingerprint(text).has_value(), "it has a fingerprint");
    }
    engine::parse_delta(text);
    return 0;
}
