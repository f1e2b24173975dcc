#include "api/handoff_file.hpp"
#include "fuzz/expect.hpp"

// Handoff files, which anybody who may write into the runtime directory makes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const auto file = api::parse_handoff_file(fuzz::text_of(data, size));
    if (!file) {
        fuzz::expect(!file.error().reason.empty(), "a refusal has a reason");
        return 0;
    }
    fuzz::expect(api::validate(*file).has_value(), "what is taken in is valid");
    const std::string written = api::to_json(*file);
    const auto again = api::parse_handoff_file(written);
    fuzz::expect(again && api::to_json(*again) == written, "a file survives being written");
    const std::string name = api::handoff_file_name(file->pool_id, file->replica_id);
    fuzz::expect(!name.contains('/') && !name.contains('\0'), "its name is one path segment");
    return 0;
}
