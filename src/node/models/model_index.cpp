#include "node/models/model_index.hpp"

#include "api/model_id.hpp"
#include "base/json.hpp"

#include <boost/describe/class.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::node::models {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kDigestPrefix = "sha256:";
constexpr std::size_t kLongestName = 255;

struct IndexText {
    std::uint32_t version = 0;
    std::vector<ModelRecord> models;
};

bool is_file_of_a_store(const ModelRecord& record) {
    if (record.staged()) {
        return record.digest && record.file == blob_name(*record.digest);
    }
    return record.file.ends_with(".gguf") && !record.file.starts_with('.') &&
           !record.file.contains('/') && !record.file.contains('\0') &&
           record.file.size() <= kLongestName;
}

Result<void> check(const ModelRecord& record, const std::string& path) {
    const auto wrong = [&](const char* what) {
        return fail(Errc::invalid_params, fmt::format("{}.{}", path, what));
    };
    if (!api::valid_model_id(record.id)) {
        return wrong("id: is no model's id");
    }
    if (record.digest && api::parse_digest(*record.digest, "digest") != *record.digest) {
        return wrong("digest: is not sha256: and 64 digits");
    }
    if (!is_file_of_a_store(record)) {
        return wrong("file: is no file of a store");
    }
    if (record.state != api::kModelReady && record.state != api::kModelCorrupt &&
        record.state != api::kModelVerifying) {
        return wrong("state: is not known");
    }
    return {};
}

BOOST_DESCRIBE_STRUCT(IndexText, (), (version, models))

}  // namespace

BOOST_DESCRIBE_STRUCT(
    ModelRecord, (), (id, file, bytes, mtime_ns, digest, state, source, last_verified_ms, error)
)

std::string blob_name(std::string_view digest) {
    return fmt::format(
        "blobs/sha256-{}", digest.substr(std::min(digest.size(), kDigestPrefix.size()))
    );
}

ModelRecord& ModelIndex::put(ModelRecord record) {
    std::string id = record.id;
    return records_[std::move(id)] = std::move(record);
}

const ModelRecord* ModelIndex::find(const std::string& id) const {
    const auto found = records_.find(id);
    return found == records_.end() ? nullptr : &found->second;
}

ModelRecord* ModelIndex::find(const std::string& id) {
    const auto found = records_.find(id);
    return found == records_.end() ? nullptr : &found->second;
}

bool ModelIndex::is_shared(const ModelRecord& record) const {
    return std::ranges::any_of(records_, [&](const auto& at) {
        return at.first != record.id && at.second.file == record.file;
    });
}

std::string ModelIndex::text() const {
    IndexText text{.version = kVersion, .models = {}};
    for (const auto& [id, record] : records_) {
        text.models.push_back(record);
    }
    return json::encode(text);
}

Result<ModelIndex> ModelIndex::parse(std::string_view text) {
    auto read = json::decode<IndexText>(text);
    if (!read) {
        return std::unexpected(read.error());
    }
    if (read->version != kVersion) {
        return fail(
            Errc::invalid_params,
            fmt::format("version: is {}, and {} is understood", read->version, kVersion)
        );
    }
    ModelIndex index;
    for (std::size_t i = 0; i < read->models.size(); ++i) {
        const std::string path = fmt::format("models[{}]", i);
        if (auto good = check(read->models[i], path); !good) {
            return std::unexpected(good.error());
        }
        if (index.find(read->models[i].id) != nullptr) {
            return fail(Errc::invalid_params, path + ".id: is there twice");
        }
        index.put(std::move(read->models[i]));
    }
    return index;
}

}  // namespace orch::node::models
