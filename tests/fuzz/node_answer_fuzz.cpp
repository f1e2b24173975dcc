#include "api/node_messages.hpp"
#include "api/node_views.hpp"
#include "api/operation.hpp"
#include "fuzz/round_trip.hpp"

// What a node answers when the control plane asks it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    fuzz::expect_round_trip<api::NodeStatusBody>(text);
    fuzz::expect_round_trip<api::PoolStatus>(text);
    fuzz::expect_round_trip<api::Operation>(text);
    return 0;
}
