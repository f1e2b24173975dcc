#include "api/fleet_messages.hpp"
#include "fuzz/expect.hpp"

// What operators send about nodes and their pools, to both daemons.
namespace {

template <class T>
void check(std::string_view text) {
    using namespace orch;
    if (const auto message = api::from_json<T>(text)) {
        const std::string written = api::to_json(*message);
        const auto again = api::from_json<T>(written);
        fuzz::expect(again && api::to_json(*again) == written, "a message survives being written");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = orch::fuzz::text_of(data, size);
    check<orch::api::StaticNodeRequest>(text);
    check<orch::api::DrainRequest>(text);
    check<orch::api::PoolDrainRequest>(text);
    check<orch::api::PoolReloadRequest>(text);
    return 0;
}
