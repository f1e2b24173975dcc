#include "node/models/folder_scan.hpp"

#include "api/model_id.hpp"

#include <algorithm>
#include <set>

namespace orch::node::models {
namespace {

bool is_blob(const std::string& name) {
    return name.starts_with("blobs/");
}

bool is_settled(const std::string& name, const FileFacts& facts, const FolderListing& before) {
    const auto seen = before.find(name);
    return seen != before.end() && seen->second == facts;
}

ModelRecord fresh_record(std::string id, const std::string& name, const FileFacts& facts) {
    ModelRecord record;
    record.id = std::move(id);
    record.file = name;
    record.bytes = facts.bytes;
    record.mtime_ns = facts.mtime_ns;
    record.state = api::kModelVerifying;
    return record;
}

void look_at_file(
    const ModelIndex& index, const std::string& name, const FileFacts& facts, ScanChanges& out
) {
    const auto id = api::model_id_of_file(name);
    const ModelRecord* const known = id ? index.find(*id) : nullptr;
    if (!id || (known != nullptr && known->file != name)) {
        out.unnamed.push_back(name);
        return;
    }
    const bool same =
        known != nullptr && known->bytes == facts.bytes && known->mtime_ns == facts.mtime_ns;
    const bool unread = known != nullptr && known->state == api::kModelVerifying && !known->digest;
    if (!same || unread) {
        out.found.push_back(fresh_record(*id, name, facts));
    }
}

}  // namespace

ScanChanges reconcile(
    const ModelIndex& index, const FolderListing& before, const FolderListing& now
) {
    ScanChanges out;
    std::set<std::string> used;
    for (const auto& [id, record] : index.records()) {
        used.insert(record.file);
        if (!now.contains(record.file)) {
            out.gone.push_back(id);
        }
    }
    for (const auto& [name, facts] : now) {
        if (is_blob(name)) {
            if (!used.contains(name) && is_settled(name, facts, before)) {
                out.orphans.push_back(name);
            }
        } else if (is_settled(name, facts, before)) {
            look_at_file(index, name, facts, out);
        }
    }
    return out;
}

}  // namespace orch::node::models
