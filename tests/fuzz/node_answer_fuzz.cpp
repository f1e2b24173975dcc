#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "api/operation.hpp"
#include "fuzz/expect.hpp"

// What a node answers when the control plane asks it.
namespace {

template <class T>
void check(std::string_view text) {
    using namespace orch;
    if (const auto message = api::from_json<T>(text)) {
        const std::string written = api::to_json(*message);
        const auto again = api::from_json<T>(written);
        fuzz::expect(again && api::to_json(*again) == written, "an answer survives the wire");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = orch::fuzz::text_of(data, size);
    check<orch::api::NodeStatusBody>(text);
    check<orch::api::PoolStatus>(text);
    check<orch::api::Operation>(text);
    return 0;
}
