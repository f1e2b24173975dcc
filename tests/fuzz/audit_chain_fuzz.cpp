#include "audit/chain.hpp"
#include "fuzz/expect.hpp"

// Audit files, which whoever wants to hide something may have edited.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string text(fuzz::text_of(data, size));
    audit::Chain chain;
    chain.add_file("f", text);
    const std::string end = chain.hash().empty() ? audit::first_hash() : chain.hash();
    const bool sound = chain.sound();
    const audit::Line line = audit::make_line({text, text, text, text, {{text, text}}}, {}, end);
    fuzz::expect(line.text.find('\n') == line.text.size() - 1, "a record is one line");
    const bool whole = text.empty() || text.back() == '\n';
    chain.add_file("g", line.text);
    fuzz::expect(!whole || chain.sound() == sound, "a record that follows keeps a chain as it is");
    return 0;
}
