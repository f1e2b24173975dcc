#include "node/models/model_job.hpp"

#include <utility>

// What others put into the folder, or took out of it.
namespace orch::node::models {

Task<void> ModelStore::scan_loop() {
    for (;;) {
        if (owner_ == config_.node) {
            co_await scan_once();
        } else {
            co_await reload();
        }
        if (!co_await parts_.clock.sleep_for(config_.scan_interval)) {
            co_return;
        }
    }
}

Task<void> ModelStore::scan_once() {
    auto listing = co_await parts_.blocking.offload([&folder = folder_] { return folder.list(); });
    const auto free =
        co_await parts_.blocking.offload([&folder = folder_] { return folder.free_bytes(); });
    disk_free_ = free ? std::optional(*free) : std::nullopt;
    const ScanChanges changes = reconcile(index_, last_listing_, listing);
    last_listing_ = std::move(listing);
    if (!changes.found.empty() || !changes.gone.empty()) {
        apply(changes);
        co_await save();
        changed();
    }
    for (const std::string& orphan : changes.orphans) {
        if (jobs_.empty()) {
            co_await parts_.blocking.offload([&folder = folder_, orphan] {
                return folder.remove(orphan);
            });
            log_.info("a file of no model was removed", {{"file", orphan}});
        }
    }
    for (const std::string& name : changes.unnamed) {
        if (told_unnamed_.emplace(name, true).second) {
            log_.warn(
                "a file in the model folder has a name that is taken or makes no id",
                {{"file", name}}
            );
        }
    }
}

void ModelStore::apply(const ScanChanges& changes) {
    for (const std::string& id : changes.gone) {
        log_.warn("a model's file is gone", {{"model", id}});
        index_.erase(id);
    }
    for (const ModelRecord& found : changes.found) {
        log_.info("a model file was found", {{"model", found.id}, {"file", found.file}});
        index_.put(found);
        to_hash_.push_back(found.id);
    }
    if (!to_hash_.empty() && !hashing_) {
        hashing_ = true;
        parts_.tasks.spawn(hash_found());
    }
}

Task<void> ModelStore::hash_found() {
    while (!to_hash_.empty()) {
        const std::string id = to_hash_.front();
        to_hash_.pop_front();
        const ModelRecord* const found = index_.find(id);
        if (found == nullptr) {
            continue;
        }
        const ModelRecord before = *found;
        const auto digest = co_await hash(nullptr, before.file);
        ModelRecord* const record = index_.find(id);
        const bool same =
            record != nullptr && record->file == before.file && record->mtime_ns == before.mtime_ns;
        if (!same || record->state != api::kModelVerifying) {
            continue;
        }
        if (!digest) {
            log_.warn(
                "a model file cannot be read", {{"model", id}, {"reason", digest.error().message}}
            );
            record->state = api::kModelCorrupt;
            record->error = digest.error().message;
        } else {
            record->digest = *digest;
            record->state = api::kModelReady;
            record->last_verified_ms = unix_ms(parts_.clock.wall());
        }
        co_await save();
        changed();
    }
    hashing_ = false;
}

Task<Result<void>> ModelStore::save() {
    const std::uint64_t version = ++version_;
    const auto write = [&folder = folder_, text = index_.text(), version] {
        return folder.save_index(text, version);
    };
    auto saved = co_await parts_.blocking.offload(write);
    if (!saved) {
        log_.error("the model index cannot be saved", {{"reason", saved.error().message}});
    }
    co_return saved;
}

// What the owner of the folder has written meanwhile.
Task<void> ModelStore::reload() {
    auto index =
        co_await parts_.blocking.offload([&folder = folder_] { return folder.load_index(); });
    if (index && index->text() != index_.text()) {
        index_ = std::move(*index);
        changed();
    }
}

void ModelStore::changed() {
    on_change_();
}

}  // namespace orch::node::models
