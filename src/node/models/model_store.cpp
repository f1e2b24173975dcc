#include "node/models/model_store.hpp"

#include "api/model_id.hpp"
#include "node/models/model_job.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace orch::node::models {
namespace {

constexpr std::size_t kMostJobs = 16;  // each holds a buffer and, mostly, a connection

std::unexpected<Error> unknown(const std::string& id) {
    return fail(Errc::not_found, fmt::format("the store has no model '{}'", id));
}

}  // namespace

ModelStore::ModelStore(
    ModelStoreConfig config, ModelStoreParts parts, OnChange on_change, UsedBy used_by, Logger log
)
    : config_(std::move(config)),
      parts_(parts),
      on_change_(std::move(on_change)),
      used_by_(std::move(used_by)),
      log_(std::move(log)),
      folder_(config_.folder),
      operations_(parts.rng) {}

ModelStore::~ModelStore() = default;

Result<void> ModelStore::open() {
    auto owner = folder_.prepare(config_.node, config_.ownership);
    if (!owner) {
        return std::unexpected(owner.error());
    }
    owner_ = std::move(*owner);
    if (owner_ != config_.node) {
        log_.info(
            "the model folder belongs to another node and is only read",
            {{"folder", config_.folder.string()}, {"owner", owner_}}
        );
    }
    auto index = folder_.load_index();
    if (!index) {
        return std::unexpected(index.error());
    }
    index_ = std::move(*index);
    if (const auto free = folder_.free_bytes()) {
        disk_free_ = *free;
    }
    last_listing_ = folder_.list();
    return {};
}

void ModelStore::start() {
    parts_.tasks.spawn(scan_loop());
}

std::vector<api::ModelInfo> ModelStore::list() const {
    std::map<std::string, api::ModelInfo> models;
    for (const auto& [id, record] : index_.records()) {
        api::ModelInfo& info = models[id];
        info = {
            .id = id,
            .digest = record.digest,
            .bytes = record.bytes,
            .state = record.state,
            .file = record.file,
            .source = record.source,
            .last_verified_ms = record.last_verified_ms,
            .error = record.error
        };
        info.used_by = used_by_(id, (config_.folder / record.file).string());
    }
    for (const auto& [operation, job] : jobs_) {
        api::ModelInfo& info = models[job->id];
        info.id = job->id;
        info.state = job->stages() ? api::kModelStaging : api::kModelVerifying;
        info.bytes = std::max(info.bytes, job->total);
    }
    std::vector<api::ModelInfo> out;
    for (auto& [id, info] : models) {
        out.push_back(std::move(info));
    }
    return out;
}

Result<api::ModelInfo> ModelStore::get(const std::string& id) const {
    std::vector<api::ModelInfo> all = list();
    const auto found = std::ranges::find(all, id, &api::ModelInfo::id);
    if (found == all.end()) {
        return unknown(id);
    }
    return std::move(*found);
}

std::vector<api::ModelReport> ModelStore::reports() const {
    std::vector<api::ModelReport> out;
    for (api::ModelInfo& info : list()) {
        out.push_back({std::move(info.id), std::move(info.digest), info.bytes, info.state});
    }
    return out;
}

Result<std::string> ModelStore::find_file(const std::string& name) const {
    const ModelRecord* const record =
        index_.find(name.ends_with(".gguf") ? name.substr(0, name.size() - 5) : name);
    if (record == nullptr) {
        const bool coming =
            std::ranges::any_of(jobs_, [&](const auto& at) { return at.second->id == name; });
        if (coming) {
            return fail(Errc::conflict, fmt::format("model {}: is being staged", name));
        }
        return unknown(name);
    }
    if (record->state == api::kModelCorrupt) {
        return fail(
            Errc::conflict, fmt::format("model {}: {}", name, record->error.value_or("corrupt"))
        );
    }
    return (config_.folder / record->file).string();
}

Result<BlobPlace> ModelStore::find_blob(const std::string& id) const {
    const ModelRecord* const record = index_.find(id);
    if (record == nullptr) {
        return unknown(id);
    }
    if (record->state != api::kModelReady || !record->digest) {
        return fail(Errc::conflict, fmt::format("the model '{}' is {}", id, record->state));
    }
    return BlobPlace{config_.folder / record->file, *record->digest};
}

Result<void> ModelStore::check_owner() const {
    if (owner_ == config_.node) {
        return {};
    }
    return fail(
        Errc::conflict,
        fmt::format(
            "the folder {} belongs to node {}: ask that node, or remove owner.json when it is gone",
            config_.folder.string(),
            owner_.str()
        )
    );
}

ModelStore::Job& ModelStore::begin_job(std::string kind, const std::string& id) {
    auto job = std::make_unique<Job>();
    job->operation = operations_.begin(kind, id, parts_.clock.wall()).id;
    job->kind = std::move(kind);
    job->id = id;
    return *(jobs_[job->operation] = std::move(job));
}

void ModelStore::end_job(const std::string& operation, const std::string& error) {
    operations_.end(operation, error, parts_.clock.wall());
    const auto job = jobs_.find(operation);
    if (error.empty()) {
        log_.info(
            "a model operation succeeded",
            {{"operation", job->second->kind}, {"model", job->second->id}}
        );
    } else {
        log_.warn(
            "a model operation failed",
            {{"operation", job->second->kind}, {"model", job->second->id}, {"reason", error}}
        );
    }
    jobs_.erase(job);
    changed();
}

Result<void> ModelStore::check_new(const std::string& id, const std::optional<std::string>& digest)
    const {
    const bool busy =
        std::ranges::any_of(jobs_, [&](const auto& at) { return at.second->id == id; });
    if (busy) {
        return fail(
            Errc::conflict, fmt::format("the model '{}' is being staged or verified already", id)
        );
    }
    const ModelRecord* const record = index_.find(id);
    const bool other = record != nullptr && record->state != api::kModelCorrupt &&
                       (!digest || digest != record->digest);
    if (other) {
        return fail(
            Errc::conflict,
            fmt::format(
                "the model '{}' is here already with digest {}: delete it first, or choose another "
                "id",
                id,
                record->digest.value_or("not known yet")
            )
        );
    }
    return {};
}

Result<api::Operation> ModelStore::add(const api::AddModelRequest& asked) {
    api::AddModelRequest request = asked;
    const auto source = parse_model_source(request.source);
    if (!source) {
        return std::unexpected(source.error());
    }
    if (!request.id) {
        auto id = id_of_source(request.source);
        if (!id) {
            return std::unexpected(id.error());
        }
        request.id = std::move(*id);
    }
    if (request.digest) {
        request.digest = *api::parse_digest(*request.digest, "digest");
    }
    for (const auto& allowed : {check_owner(), check_new(*request.id, request.digest)}) {
        if (!allowed) {
            return std::unexpected(allowed.error());
        }
    }
    if (jobs_.size() >= kMostJobs) {
        return fail(
            Errc::admission_reject, fmt::format("{} operations are under way already", kMostJobs)
        );
    }
    const Job& job = begin_job("model.stage", *request.id);
    const std::string operation = job.operation;
    const ModelRecord* const record = index_.find(*request.id);
    if (record != nullptr && record->state != api::kModelCorrupt) {
        end_job(operation, "");  // those very bytes are here
    } else {
        parts_.tasks.spawn(run_staging(operation, std::move(request)));
        changed();
    }
    return *operations_.find(operation);
}

Result<api::Operation> ModelStore::verify(const std::string& id) {
    if (index_.find(id) == nullptr) {
        return unknown(id);
    }
    if (auto allowed = check_owner(); !allowed) {
        return std::unexpected(allowed.error());
    }
    const bool busy =
        std::ranges::any_of(jobs_, [&](const auto& at) { return at.second->id == id; });
    if (busy || std::ranges::find(to_hash_, id) != to_hash_.end()) {
        return fail(
            Errc::conflict, fmt::format("the model '{}' is being staged or verified already", id)
        );
    }
    const std::string operation = begin_job("model.verify", id).operation;
    parts_.tasks.spawn(run_verification(operation, id));
    changed();
    return *operations_.find(operation);
}

Result<void> ModelStore::remove(const std::string& id) {
    if (auto allowed = check_owner(); !allowed) {
        return allowed;
    }
    for (const auto& [operation, job] : jobs_) {
        if (job->id == id && job->stages()) {
            job->cancelled = true;
            if (job->fetch != nullptr) {
                job->fetch->stop();
            }
            return {};
        }
    }
    const ModelRecord* const record = index_.find(id);
    if (record == nullptr) {
        return unknown(id);
    }
    const auto users = used_by_(id, (config_.folder / record->file).string());
    if (!users.empty()) {
        return fail(
            Errc::conflict,
            fmt::format("the model '{}' is used by the pools {}", id, fmt::join(users, ", "))
        );
    }
    if (!index_.is_shared(*record)) {
        if (auto removed = folder_.remove(record->file); !removed) {
            return removed;
        }
    }
    last_listing_.erase(record->file);
    index_.erase(id);
    log_.info("a model was removed", {{"model", id}});
    ++version_;
    auto saved = folder_.save_index(index_.text(), version_);
    changed();
    return saved;
}

}  // namespace orch::node::models
