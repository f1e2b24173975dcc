#include "api/catalog_messages.hpp"
#include "api/model_id.hpp"
#include "api/model_messages.hpp"
#include "fuzz/expect.hpp"

// What is sent to the catalog and to a node's model store, and the catalog's file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const std::string_view text = fuzz::text_of(data, size);
    if (const auto model = api::from_json<api::CatalogModel>(text)) {
        fuzz::expect(api::valid_model_id(model->id), "an entry has an id");
        const std::string written = api::to_json(*model);
        const auto again = api::from_json<api::CatalogModel>(written);
        fuzz::expect(again && api::to_json(*again) == written, "an entry survives being written");
    }
    if (const auto list = api::from_json<api::CatalogModelList>(text)) {
        fuzz::expect(
            api::from_json<api::CatalogModelList>(api::to_json(*list)).has_value(), "so does a list"
        );
    }
    if (const auto request = api::from_json<api::StageRequest>(text)) {
        fuzz::expect(request->nodes.empty() == request->replicas.has_value(), "one of the two");
    }
    if (const auto request = api::from_json<api::AddModelRequest>(text)) {
        fuzz::expect(!request->id || api::valid_model_id(*request->id), "an id is an id");
    }
    static_cast<void>(api::from_json<api::ModelStateRequest>(text));
    return 0;
}
