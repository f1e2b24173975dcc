#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/models/folder_scan.hpp"
#include "node/models/model_index.hpp"
#include "node/models/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

namespace orch::node::models {

// Who may write a store that several machines mount.
enum class Ownership {
    of_state_dir,  // the folder is inside the state directory, whose lock is held
    marked,        // owner.json says who
};

struct OpenedFile {
    UniqueFd file;
    FileFacts facts;
};

// The store's folder on disk. Links inside it are not followed. All calls block; any thread.
class ModelFolder {
public:
    explicit ModelFolder(std::filesystem::path path) : path_(std::move(path)) {}

    const std::filesystem::path& path() const { return path_; }

    std::filesystem::path partial() const { return path_ / "partial"; }

    // Makes the folder, takes it for `node` when nobody has it, and empties partial/ if it may be
    // written. Returns the id of the node that owns it. Errors: internal naming the folder or file.
    Result<NodeId> prepare(const NodeId& node, Ownership ownership) const;

    // No file: an empty index. Errors: internal naming the file and what is wrong in it.
    Result<ModelIndex> load_index() const;

    // A text with an older version than one that was written before is left out.
    Result<void> save_index(std::string text, std::uint64_t version);

    // *.gguf of the folder and what is in blobs/.
    FolderListing list() const;

    // Of the file system. Errors: internal.
    Result<Bytes> free_bytes() const;

    // Errors: not_found, internal; naming the file.
    Result<OpenedFile> open(const std::string& name) const;
    Result<void> remove(const std::string& name) const;

    // Moves a file of partial/ to its place; durable when it returns.
    Result<void> adopt(const std::filesystem::path& partial, const std::string& name) const;

private:
    Result<NodeId> take(const NodeId& node) const;

    std::filesystem::path path_;
    std::mutex saving_;
    std::uint64_t saved_version_ = 0;
};

// A regular file, wherever it is. Errors: not_found, invalid_params; naming the file.
Result<OpenedFile> open_regular(const std::filesystem::path& path, bool follow_links);

}  // namespace orch::node::models
