#include "fuzz/expect.hpp"
#include "node/lifecycle/pool_spec_yaml.hpp"

// The `pools` of a settings file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    const auto all_exist = [](const std::string&) { return true; };
    const auto read = node::lifecycle::parse_pools(text, "f.yaml", all_exist);
    for (const Error& error : read.errors) {
        fuzz::expect(error.message.starts_with("f.yaml"), "an error names its file");
    }
    if (read.errors.empty()) {
        for (const auto& pool : read.pools) {
            fuzz::expect(valid_id(pool.id.str()), "a pool has an id");
        }
    }
    return 0;
}
