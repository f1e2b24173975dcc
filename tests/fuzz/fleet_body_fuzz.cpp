#include "api/fleet_messages.hpp"
#include "fuzz/round_trip.hpp"

// What operators send about nodes and their pools, to both daemons.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    fuzz::expect_round_trip<api::StaticNodeRequest>(text);
    fuzz::expect_round_trip<api::DrainRequest>(text);
    fuzz::expect_round_trip<api::PoolDrainRequest>(text);
    fuzz::expect_round_trip<api::PoolReloadRequest>(text);
    return 0;
}
