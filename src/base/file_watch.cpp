#include "base/file_watch.hpp"

#include <sys/stat.h>

#include <utility>

namespace orch {
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;

FileStamp load_stamp(const std::string& path) {
    struct stat file{};
    if (stat(path.c_str(), &file) != 0) {
        return {};
    }
    return {
        .modified_ns = file.st_mtim.tv_sec * kNanoseconds + file.st_mtim.tv_nsec,
        .changed_ns = file.st_ctim.tv_sec * kNanoseconds + file.st_ctim.tv_nsec,
        .inode = file.st_ino,
        .size = file.st_size,
    };
}

}  // namespace

FileStamps load_file_stamps(const std::vector<std::string>& paths) {
    FileStamps stamps;
    for (const std::string& path : paths) {
        stamps.push_back(load_stamp(path));
    }
    return stamps;
}

bool FileWatch::look(FileStamps now) {
    if (now == taken_) {
        pending_.reset();
        return false;
    }
    if (pending_ != now) {
        pending_ = std::move(now);
        return false;
    }
    taken(std::move(now));
    return true;
}

void FileWatch::taken(FileStamps now) {
    taken_ = std::move(now);
    pending_.reset();
}

}  // namespace orch
