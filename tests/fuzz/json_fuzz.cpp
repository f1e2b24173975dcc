#include "api/node_messages.hpp"
#include "base/json.hpp"
#include "fuzz/expect.hpp"

// The JSON reader and the messages of nodes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    if (const auto message = json::decode<api::HeartbeatRequest>(text)) {
        const std::string written = api::to_json(*message);
        const auto again = json::decode<api::HeartbeatRequest>(written);
        fuzz::expect(again && api::to_json(*again) == written, "a heartbeat survives the wire");
    }
    if (const auto message = json::decode<api::RegisterRequest>(text)) {
        const std::string written = api::to_json(*message);
        const auto again = json::decode<api::RegisterRequest>(written);
        fuzz::expect(again && api::to_json(*again) == written, "a registration survives the wire");
    }
    return 0;
}
