#pragma once

#include "base/bytes.hpp"
#include "node/models/model_index.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

// What a look at the folder says about files that were put there by hand, or changed. Pure.
namespace orch::node::models {

struct FileFacts {
    Bytes bytes = 0;
    std::int64_t mtime_ns = 0;

    friend bool operator==(const FileFacts&, const FileFacts&) = default;
};

// Regular files of the folder and of blobs/, by name relative to it.
using FolderListing = std::map<std::string, FileFacts>;

struct ScanChanges {
    std::vector<ModelRecord> found;    // new, or other bytes than before: to be hashed
    std::vector<std::string> gone;     // ids whose file is not there any more
    std::vector<std::string> unnamed;  // files whose name makes no id, or one that is taken
    std::vector<std::string> orphans;  // blobs of no model
};

// Compares the index with two looks at the folder. A file counts when it is the same in both: one
// that is still being copied is left alone.
ScanChanges reconcile(
    const ModelIndex& index, const FolderListing& before, const FolderListing& now
);

}  // namespace orch::node::models
