#include "engine/delta.hpp"
#include "engine/llamacpp.hpp"
#include "fuzz/expect.hpp"

// What an engine answers when it is asked about itself, and its errors.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    if (const auto slots = engine::parse_llama_slots(text)) {
        fuzz::expect(slots->busy <= slots->total, "no more slots are busy than there are");
        fuzz::expect(
            !slots->cache_usage || (*slots->cache_usage >= 0 && *slots->cache_usage <= 1),
            "a ratio is from 0 to 1"
        );
    }
    static_cast<void>(engine::parse_llama_props(text));
    engine::parse_engine_error(text);
    engine::parse_figures(text);
    for (const int status : {200, 503, 500}) {
        engine::judge_llama_health(status, text);
    }
    return 0;
}
