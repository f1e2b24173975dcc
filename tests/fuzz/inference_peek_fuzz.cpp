#include "api/inference_peek.hpp"
#include "base/json.hpp"
#include "fuzz/expect.hpp"

// The look into an inference body against the reader that builds a tree.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    if (api::peek_inference(text)) {
        const auto tree = json::parse(text);
        fuzz::expect(tree && tree->is_object(), "what the peek takes is one JSON object");
    }
    return 0;
}
