#include "api/http_address.hpp"
#include "api/model_id.hpp"
#include "base/host_port.hpp"
#include "control/gateway/request_headers.hpp"
#include "fuzz/expect.hpp"
#include "net/byte_range.hpp"
#include "net/correlation.hpp"

#include <variant>

// What stands in the headers of a request, and addresses.
namespace {

constexpr orch::Bytes kSize = 1000;

void read_routing(std::string_view text) {
    using namespace orch;
    for (const char* name :
         {"X-Llorch-Node",
          "X-Llorch-Pool",
          "X-Llorch-Prefer",
          "X-Llorch-Avoid",
          "X-Llorch-Labels",
          "X-Llorch-Fallback",
          "X-Llorch-Priority",
          "X-Session-Id"}) {
        net::Headers headers;
        headers.add(name, text);
        const auto hints = control::gateway::read_hints(headers);
        const auto priority = control::gateway::read_priority(headers);
        fuzz::expect(hints || hints.error().message.starts_with(name), "an error names its header");
        fuzz::expect(priority || !hints || headers.find("X-Llorch-Priority"), "and only it");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    read_routing(text);
    const auto range = net::parse_byte_range(text, kSize);
    if (const auto* const part = std::get_if<net::ByteRange>(&range)) {
        fuzz::expect(part->first <= part->last && part->last < kSize, "a range is inside");
    }
    net::first_byte_of(text);
    Rng rng(1);
    net::Headers headers;
    headers.add("X-Correlation-Id", text);
    headers.add("traceparent", text);
    fuzz::expect(valid_id(net::correlation_of(headers, rng).str()), "an id is an id");
    net::trace_id_of(net::traceparent_of(headers, rng));
    net::trace_id_of(text);
    if (const auto address = api::parse_http_address(text, "url")) {
        const auto again = api::parse_http_address(api::to_string(*address), "url");
        fuzz::expect(again.has_value(), "an address can be told again");
    }
    static_cast<void>(parse_host_port(text));
    static_cast<void>(api::parse_digest(text, "digest"));
    return 0;
}
