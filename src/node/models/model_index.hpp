#pragma once

#include "api/model_messages.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orch::node::models {

// What is known of one model of the store. The file is named relative to the folder and has one of
// two forms: "blobs/sha256-<hex>" (staged) or "NAME.gguf" (put there by hand).
struct ModelRecord {
    std::string id;
    std::string file;
    Bytes bytes = 0;
    std::int64_t mtime_ns = 0;          // of the file when it was read last
    std::optional<std::string> digest;  // what the bytes were when they came, or were found
    std::string state = std::string(api::kModelReady);
    std::optional<std::string> source;
    std::optional<std::int64_t> last_verified_ms;
    std::optional<std::string> error;

    bool staged() const { return file.starts_with("blobs/"); }
};

// "blobs/sha256-<hex>" for "sha256:<hex>".
std::string blob_name(std::string_view digest);

// The models of a store, by id. One owner; no files: text() is what survives a restart.
class ModelIndex {
public:
    ModelRecord& put(ModelRecord record);

    void erase(const std::string& id) { records_.erase(id); }

    const ModelRecord* find(const std::string& id) const;
    ModelRecord* find(const std::string& id);

    // Another model that is kept in the same file.
    bool is_shared(const ModelRecord& record) const;

    const std::map<std::string, ModelRecord>& records() const { return records_; }

    std::size_t size() const { return records_.size(); }

    std::string text() const;

    // Errors: invalid_params naming the place: other versions, ids, files and digests that no store
    // of ours writes.
    static Result<ModelIndex> parse(std::string_view text);

private:
    std::map<std::string, ModelRecord> records_;
};

}  // namespace orch::node::models
