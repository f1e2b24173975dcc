#include "engine/sse.hpp"
#include "engine/usage.hpp"
#include "fuzz/expect.hpp"

#include <string>

// Event streams: no byte is lost or repeated, and where a read ends changes nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    const std::size_t split = fuzz::split_of(text);
    engine::EventBuffer whole;
    const std::string events(whole.feed(text));
    fuzz::expect(events + std::string(whole.held()) == text, "no byte is lost");
    engine::EventBuffer cut;
    std::string pieces(cut.feed(text.substr(0, split)));
    pieces += cut.feed(text.substr(split));
    fuzz::expect(pieces == events && cut.held() == whole.held(), "a cut changes nothing");
    engine::EventReader reader(events);
    std::size_t tokens = 0;
    while (const auto event = reader.next()) {
        tokens += engine::is_token(*event) ? 1 : 0;
        engine::is_terminal(*event);
        engine::read_usage(event->data);
    }
    fuzz::expect(engine::count_tokens(events) == tokens, "tokens are counted as they are read");
    return 0;
}
