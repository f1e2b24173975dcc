#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace orch {

// What tells one state of a file from another without reading it. Absent files compare equal.
struct FileStamp {
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;  // of the inode: a rename over the file shows here
    std::uint64_t inode = 0;
    std::int64_t size = -1;  // -1: there is no such file

    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

using FileStamps = std::vector<FileStamp>;

// One stamp per path, in order. Blocks for a stat each; follows links, as Kubernetes' secrets need.
FileStamps load_file_stamps(const std::vector<std::string>& paths);

// Decides when files that changed shall be read. Pure; one owner.
//
// A change counts when two looks in a row saw the same: a file that is being copied is left alone
// until it is complete. Each change counts once, whatever comes of reading it.
class FileWatch {
public:
    explicit FileWatch(FileStamps now) : taken_(std::move(now)) {}

    // True when the files are to be read now.
    bool look(FileStamps now);

    // They have been read for another reason.
    void taken(FileStamps now);

private:
    FileStamps taken_;
    std::optional<FileStamps> pending_;
};

}  // namespace orch
