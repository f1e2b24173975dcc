#include "fuzz/expect.hpp"
#include "net/http_parser.hpp"

#include <string>

// Requests and responses: no input crashes the parser, and where it is cut in two changes nothing.
namespace {

using namespace orch;

struct Reading {
    std::string head;
    std::string body;
    bool head_done = false;
    bool message_done = false;
    bool failed = false;

    friend bool operator==(const Reading&, const Reading&) = default;
};

void feed(net::HttpParser& parser, std::string_view text, Reading& reading) {
    while (!text.empty() && !reading.failed && !parser.message_done()) {
        const auto used = parser.feed(text);
        reading.failed = !used;
        if (used) {
            fuzz::expect(*used <= text.size(), "no more is used than was given");
            for (const std::string_view piece : parser.body()) {
                reading.body += piece;
            }
            text.remove_prefix(*used);
        }
    }
}

Reading read(std::string_view text, std::size_t split) {
    const bool response = text.starts_with("HTTP/");
    using Kind = net::HttpParser::Kind;
    net::HttpParser parser(response ? Kind::response : Kind::request);
    Reading reading;
    feed(parser, text.substr(0, split), reading);
    feed(parser, text.substr(split), reading);
    reading.failed = reading.failed || !parser.feed({});
    reading.head_done = parser.head_done();
    reading.message_done = parser.message_done();
    const auto& headers = response ? parser.response().headers : parser.request().headers;
    for (const auto& [name, value] : headers.fields()) {
        reading.head += name + "=" + value + "\n";
    }
    parser.finish();
    if (reading.failed) {
        reading.body.clear();  // how much was read before the fault depends on the cut
    }
    return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = orch::fuzz::text_of(data, size);
    const Reading whole = read(text, size);
    const Reading cut = read(text, orch::fuzz::split_of(text));
    orch::fuzz::expect(whole == cut, "a cut changes nothing");
    return 0;
}
