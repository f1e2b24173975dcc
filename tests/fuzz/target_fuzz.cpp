#include "fuzz/expect.hpp"
#include "net/percent.hpp"
#include "net/route_table.hpp"

// Request targets: percent escapes, query strings and the router.
namespace {

orch::net::RouteTable make_table() {
    orch::net::RouteTable table;
    for (const char* path :
         {"/v2/nodes",
          "/v2/nodes/{id}",
          "/v2/nodes/{node}/pools/{pool}",
          "/v2/pools/{id}/engine/{path...}"}) {
        orch::net::Route route;
        route.path = path;
        table.add(std::move(route));
    }
    return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    static const net::RouteTable table = make_table();
    const std::string_view text = fuzz::text_of(data, size);
    if (const auto decoded = net::percent_decode(text)) {
        fuzz::expect(decoded->size() <= size, "decoding never grows a text");
        fuzz::expect(text.contains('\0') || !decoded->contains('\0'), "no escape makes a NUL");
    }
    net::query_value(text, "a");
    const net::RouteMatch match = table.match(net::Method::get, text);
    for (const auto& [name, value] : match.params) {
        fuzz::expect(!name.empty() && !value.empty(), "a parameter that matched has a value");
    }
    table.match(net::Method::post, text);
    return 0;
}
