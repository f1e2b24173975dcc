#pragma once

#include "api/model_messages.hpp"
#include "api/node_messages.hpp"
#include "async/async_clock.hpp"
#include "async/offload.hpp"
#include "async/task_group.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"
#include "node/models/file_hash.hpp"
#include "node/models/model_fetch.hpp"
#include "node/models/model_folder.hpp"
#include "node/models/model_index.hpp"
#include "node/models/model_source.hpp"
#include "operations/operation_table.hpp"

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace orch::node::models {

struct ModelStoreConfig {
    std::filesystem::path folder;
    NodeId node;
    Ownership ownership = Ownership::of_state_dir;
    Duration scan_interval = std::chrono::seconds(2);
    std::function<std::string()> cluster_token;  // what is shown to peers now; null = nothing
};

// What the store works with; all of it outlives it. `tasks` and `clients` are those of the control
// thread; `blocking` has threads for long reads.
struct ModelStoreParts {
    async::AsyncClock& clock;
    async::TaskGroup& tasks;
    net::ClientPool& clients;
    async::BlockingPool& blocking;
    Rng& rng;
};

// A file to be sent to a peer.
struct BlobPlace {
    std::filesystem::path path;
    std::string digest;
};

// The model files of this node: the index and what is being done to it. Control thread; open()
// before there is one.
//
//            add()            found by the scan
//              |                     |
//           staging              verifying <-- verify() -- ready, corrupt
//              |                     |
//              +----> ready <--------+----> corrupt (the bytes are not those of the digest)
//
// A staging that fails leaves nothing behind.
class ModelStore {
public:
    // A model became ready, ceased to be, or went.
    using OnChange = std::function<void()>;

    // Pools whose spec names the model.
    using UsedBy =
        std::function<std::vector<std::string>(const std::string& id, const std::string& path)>;

    ModelStore(
        ModelStoreConfig config,
        ModelStoreParts parts,
        OnChange on_change,
        UsedBy used_by,
        Logger log
    );
    ~ModelStore();
    ModelStore(const ModelStore&) = delete;
    ModelStore& operator=(const ModelStore&) = delete;

    // Makes the folder and reads the index. Blocks. Errors: internal naming the file.
    Result<void> open();

    // Begins to look at the folder.
    void start();

    std::vector<api::ModelInfo> list() const;
    Result<api::ModelInfo> get(const std::string& id) const;

    // Begins to bring a model in. Errors: invalid_params, conflict (the id is taken by other bytes,
    // or is being staged; another node owns the folder), admission_reject (too much is under way).
    Result<api::Operation> add(const api::AddModelRequest& request);

    // Begins to read a model for its digest. Errors: not_found, conflict.
    Result<api::Operation> verify(const std::string& id);

    // Removes a model and its file; one that is being staged is given up.
    // Errors: not_found, conflict (a pool uses it; another node owns the folder), internal.
    Result<void> remove(const std::string& id);

    // The file of a model that a pool names. Errors: not_found, conflict (corrupt, or not whole).
    Result<std::string> find_file(const std::string& name) const;

    // Errors: not_found, conflict.
    Result<BlobPlace> find_blob(const std::string& id) const;

    // For registration and heartbeats.
    std::vector<api::ModelReport> reports() const;

    std::optional<Bytes> disk_free() const { return disk_free_; }

    const operations::OperationTable& operations() const { return operations_; }

private:
    struct Job;

    Result<void> check_owner() const;
    Result<void> check_new(const std::string& id, const std::optional<std::string>& digest) const;
    Job& begin_job(std::string kind, const std::string& id);
    void end_job(const std::string& operation, const std::string& error);
    Result<void> advance(Job& job, Bytes done, Bytes total);
    Bytes promised(const Job& except) const;

    Task<void> run_staging(std::string operation, api::AddModelRequest request);
    Task<Result<void>> stage(Job& job, api::AddModelRequest request);
    Task<Result<void>> fill(Job& job, PartialFile& file, api::AddModelRequest request);
    Task<Result<void>> copy(Job& job, PartialFile& file, FileSource source);
    Task<void> run_verification(std::string operation, std::string id);
    Task<Result<void>> check_bytes(Job& job, std::string id);
    Task<Result<std::string>> hash(Job* job, std::string name);

    Task<void> scan_loop();
    Task<void> scan_once();
    void apply(const ScanChanges& changes);
    Task<void> hash_found();
    Task<Result<void>> save();
    Task<void> reload();
    void changed();

    ModelStoreConfig config_;
    ModelStoreParts parts_;
    OnChange on_change_;
    UsedBy used_by_;
    Logger log_;
    ModelFolder folder_;
    NodeId owner_;
    ModelIndex index_;
    operations::OperationTable operations_;
    std::map<std::string, std::unique_ptr<Job>> jobs_;  // by operation
    std::optional<Bytes> disk_free_;
    FolderListing last_listing_;
    std::map<std::string, bool> told_unnamed_;
    std::deque<std::string> to_hash_;  // ids
    bool hashing_ = false;
    std::uint64_t version_ = 0;  // of the index
};

}  // namespace orch::node::models
