#include "node/models/file_hash.hpp"
#include "node/models/model_job.hpp"
#include "node/models/partial_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

// Staging and verification, a piece at a time.
namespace orch::node::models {
namespace {

std::unexpected<Error> cancelled() {
    return fail(Errc::cancelled, "it was cancelled");
}

}  // namespace

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
        request.peer && config_.cluster_token ? config_.cluster_token() : std::string(),
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

}  // namespace orch::node::models
