#include "fuzz/expect.hpp"
#include "node/models/model_index.hpp"

// The index of a model store, on a mount that others write too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch::node;
    const auto index = models::ModelIndex::parse(orch::fuzz::text_of(data, size));
    if (!index) {
        orch::fuzz::expect(!index.error().message.empty(), "a refusal has a reason");
        return 0;
    }
    for (const auto& [id, record] : index->records()) {
        const bool inside =
            record.staged() ? !record.file.substr(6).contains('/') : !record.file.contains('/');
        orch::fuzz::expect(inside && !record.file.contains('\0'), "a file is one of the folder");
    }
    const auto again = models::ModelIndex::parse(index->text());
    orch::fuzz::expect(again && again->text() == index->text(), "an index survives being written");
    return 0;
}
