#include "api/error_body.hpp"
#include "fuzz/expect.hpp"

// Error answers of daemons and engines.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    if (const auto body = api::parse_error_body(fuzz::text_of(data, size))) {
        const std::string written = api::to_json(*body);
        const auto again = api::parse_error_body(written);
        fuzz::expect(again && api::to_json(*again) == written, "an error survives the wire");
        api::backoff_headers(*body);
    }
    return 0;
}
