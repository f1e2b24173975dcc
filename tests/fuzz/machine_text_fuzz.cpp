#include "auth/tokens.hpp"
#include "fuzz/expect.hpp"
#include "node/inventory/machine.hpp"
#include "node/inventory/nvidia_smi.hpp"
#include "node/lifecycle/process_facts.hpp"
#include "node/models/model_source.hpp"

// What the machine's own programs and files say, token files among them, and where models are.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    static_cast<void>(node::inventory::parse_nvidia_smi(text));
    static_cast<void>(node::inventory::parse_meminfo(text));
    static_cast<void>(node::inventory::parse_cpuinfo(text));
    static_cast<void>(node::lifecycle::parse_process_stat(text));
    static_cast<void>(node::models::parse_model_source(text));
    static_cast<void>(auth::parse_token_list(text, "LIST"));
    const auto tokens = auth::parse_token_file(text, "FILE");
    fuzz::expect(tokens || tokens.error().message.contains("FILE"), "an error names its file");
    return 0;
}
