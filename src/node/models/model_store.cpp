#include "node/models/model_store.hpp"

#include "api/model_id.hpp"
#include "node/models/partial_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace orch::node::models {
namespace {

constexpr std::size_t kMostJobs = 16;  // each holds a buffer and, mostly, a connection

std::unexpected<Error> unknown(const std::string& id) {
    return fail(Errc::not_found, fmt::format("the store has no model '{}'", id));
}

std::unexpected<Error> cancelled() {
    return fail(Errc::cancelled, "it was cancelled");
}

}  // namespace

// One staging or verification under way.
struct ModelStore::Job {
    std::string operation;
    std::string kind;
    std::string id;
    Bytes done = 0;
    Bytes total = 0;
    bool cancelled = false;
    ModelFetch* fetch = nullptr;

    bool stages() const { return kind == "model.stage"; }
};

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

// --- asking

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

// --- jobs

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

// Bytes that other jobs have still to write.
Bytes ModelStore::promised(const Job& except) const {
    Bytes sum = 0;
    for (const auto& [operation, job] : jobs_) {
        if (job.get() != &except && job->stages() && job->total > job->done) {
            sum += job->total - job->done;
        }
    }
    return sum;
}

// Whether it fits is asked when the size becomes known; a disk that fills up meanwhile fails the
// write.
Result<void> ModelStore::advance(Job& job, Bytes done, Bytes total) {
    if (job.cancelled) {
        return cancelled();
    }
    if (job.stages() && total > job.total && total > done) {
        const auto free = folder_.free_bytes();
        const Bytes taken = promised(job);
        if (free && total - done + taken > *free) {
            return fail(
                Errc::conflict,
                fmt::format(
                    "{}: {} bytes are needed, {} are free and {} of them are promised",
                    config_.folder.string(),
                    total - done,
                    *free,
                    taken
                )
            );
        }
    }
    job.done = done;
    job.total = total;
    operations_.advance(job.operation, done, total, parts_.clock.wall());
    return {};
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

Task<void> ModelStore::run_staging(std::string operation, api::AddModelRequest request) {
    Job& job = *jobs_.at(operation);
    const Result<void> staged = co_await stage(job, std::move(request));
    end_job(operation, staged ? "" : staged.error().message);
}

Task<Result<void>> ModelStore::stage(Job& job, api::AddModelRequest request) {
    const auto create = [&folder = folder_, name = job.operation] {
        return PartialFile::create(folder, name);
    };
    auto file = co_await parts_.blocking.offload(create);
    if (!file) {
        co_return std::unexpected(file.error());
    }
    PartialFile& partial = **file;
    if (auto filled = co_await fill(job, partial, request); !filled) {
        co_return filled;
    }
    ModelRecord record;
    record.id = job.id;
    record.bytes = partial.written();
    record.digest = partial.digest();
    record.source = shown_source(request.source);
    record.last_verified_ms = unix_ms(parts_.clock.wall());
    if (request.digest && record.digest != request.digest) {
        co_return fail(
            Errc::invalid_params,
            fmt::format("digest: is {}, expected {}", *record.digest, *request.digest)
        );
    }
    const auto place = [&partial, digest = *record.digest] { return partial.put_in_place(digest); };
    auto name = co_await parts_.blocking.offload(place);
    if (!name) {
        co_return std::unexpected(name.error());
    }
    record.file = std::move(*name);
    index_.put(std::move(record));
    co_return co_await save();
}

Task<Result<void>> ModelStore::fill(Job& job, PartialFile& file, api::AddModelRequest request) {
    auto source = parse_model_source(request.source);
    if (auto* const path = std::get_if<FileSource>(&*source)) {
        co_return co_await copy(job, file, std::move(*path));
    }
    ModelFetch fetch(
        {parts_.clock, parts_.clients, parts_.blocking},
        std::get<HttpSource>(std::move(*source)),
        request.peer ? config_.cluster_token : std::string(),
        [this, &job](Bytes done, Bytes total) { return advance(job, done, total); }
    );
    job.fetch = &fetch;
    auto fetched = co_await fetch.run(file);
    job.fetch = nullptr;
    co_return fetched;
}

Task<Result<void>> ModelStore::copy(Job& job, PartialFile& file, FileSource source) {
    const auto look = [path = source.path] { return open_regular(path, true); };
    auto opened = co_await parts_.blocking.offload(look);
    if (!opened) {
        co_return fail(Errc::invalid_params, "source: " + opened.error().message);
    }
    const Bytes total = opened->facts.bytes;
    for (;;) {
        if (auto on = advance(job, file.written(), std::max(total, file.written())); !on) {
            co_return on;
        }
        const auto piece = [&file, from = opened->file.get()]() -> Result<bool> {
            std::string buffer(kMiB, '\0');
            for (Bytes read = 0; read < FileHash::kPiece;) {
                const auto count = read_at(from, buffer.data(), buffer.size(), file.written());
                if (!count || *count == 0) {
                    return count ? Result<bool>(true) : std::unexpected(count.error());
                }
                const std::string_view bytes(buffer.data(), *count);
                if (auto written = file.append(bytes); !written) {
                    return std::unexpected(written.error());
                }
                read += *count;
            }
            return false;
        };
        const Result<bool> ended = co_await parts_.blocking.offload(piece);
        if (!ended) {
            co_return std::unexpected(ended.error());
        }
        if (*ended) {
            co_return advance(job, file.written(), file.written());
        }
    }
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

Task<void> ModelStore::run_verification(std::string operation, std::string id) {
    Job& job = *jobs_.at(operation);
    const Result<void> checked = co_await check_bytes(job, std::move(id));
    end_job(operation, checked ? "" : checked.error().message);
}

Task<Result<void>> ModelStore::check_bytes(Job& job, std::string id) {
    const ModelRecord before = *index_.find(id);
    const auto digest = co_await hash(&job, before.file);
    ModelRecord* const record = index_.find(id);
    if (record == nullptr || record->file != before.file) {
        co_return fail(Errc::conflict, "the model was replaced or removed meanwhile");
    }
    if (!digest) {
        co_return std::unexpected(digest.error());
    }
    record->last_verified_ms = unix_ms(parts_.clock.wall());
    if (record->digest && record->digest != *digest) {
        record->state = api::kModelCorrupt;
        record->error = fmt::format("digest: is {}, expected {}", *digest, *record->digest);
        const std::string error = *record->error;
        co_await save();
        co_return fail(Errc::conflict, error);
    }
    record->digest = *digest;
    record->state = api::kModelReady;
    record->error.reset();
    co_return co_await save();
}

Task<Result<std::string>> ModelStore::hash(Job* job, std::string name) {
    const auto look = [&folder = folder_, name] { return folder.open(name); };
    auto opened = co_await parts_.blocking.offload(look);
    if (!opened) {
        co_return std::unexpected(opened.error());
    }
    FileHash reading(std::move(*opened));
    for (;;) {
        const Result<bool> ended =
            co_await parts_.blocking.offload([&reading] { return reading.step(); });
        if (!ended) {
            co_return std::unexpected(ended.error());
        }
        if (job != nullptr) {
            if (auto on = advance(*job, reading.done(), reading.total()); !on) {
                co_return std::unexpected(on.error());
            }
        }
        if (*ended) {
            co_return reading.digest();
        }
    }
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

// --- the folder

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
