#include "node/models/model_folder.hpp"

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/replace_file.hpp"

#include <boost/describe/class.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace orch::node::models {

namespace fs = std::filesystem;

namespace {

constexpr const char* kIndex = "index.json";
constexpr const char* kOwner = "owner.json";
constexpr Bytes kLargestIndex = 64 * kMiB;

struct OwnerText {
    NodeId node_id;
};

BOOST_DESCRIBE_STRUCT(OwnerText, (), (node_id))

std::unexpected<Error> failed(const fs::path& path, std::string_view what, int number) {
    const Errc code = number == ENOENT ? Errc::not_found : Errc::internal;
    return fail(
        code,
        fmt::format("{}: {}: {}", path.string(), what, std::generic_category().message(number))
    );
}

Result<void> make_folder(const fs::path& path) {
    std::error_code failure;
    fs::create_directories(path, failure);
    if (failure) {
        return fail(
            Errc::internal, fmt::format("{}: cannot be made: {}", path.string(), failure.message())
        );
    }
    return {};
}

FileFacts facts_of(const struct stat& status) {
    constexpr std::int64_t kBillion = 1'000'000'000;
    return {
        static_cast<Bytes>(status.st_size),
        status.st_mtim.tv_sec * kBillion + status.st_mtim.tv_nsec
    };
}

void list_into(FolderListing& out, const fs::path& folder, const std::string& prefix) {
    std::error_code failure;
    fs::directory_iterator entry(folder, failure);
    for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
        const std::string name = entry->path().filename().string();
        const bool wanted = !prefix.empty() || name.ends_with(".gguf");
        struct stat status{};
        if (wanted && !name.starts_with('.') && ::lstat(entry->path().c_str(), &status) == 0 &&
            S_ISREG(status.st_mode)) {
            out.emplace(prefix + name, facts_of(status));
        }
    }
}

bool sync_folder(const fs::path& folder) {
    const UniqueFd descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return descriptor && ::fsync(descriptor.get()) == 0;
}

}  // namespace

Result<OpenedFile> open_regular(const fs::path& path, bool follow_links) {
    // Not to wait for the other end of a pipe that somebody names.
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (follow_links ? 0 : O_NOFOLLOW);
    OpenedFile opened{UniqueFd(::open(path.c_str(), flags)), {}};
    struct stat status{};
    if (!opened.file || ::fstat(opened.file.get(), &status) != 0) {
        return failed(path, "cannot be opened", errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return fail(Errc::invalid_params, fmt::format("{}: is no regular file", path.string()));
    }
    opened.facts = facts_of(status);
    return opened;
}

Result<NodeId> ModelFolder::prepare(const NodeId& node, Ownership ownership) const {
    if (auto made = make_folder(path_); !made) {
        return std::unexpected(made.error());
    }
    auto owner = ownership == Ownership::of_state_dir ? Result<NodeId>(node) : take(node);
    if (!owner || *owner != node) {
        return owner;
    }
    std::error_code ignored;
    fs::remove_all(partial(), ignored);
    for (const fs::path& folder : {path_ / "blobs", partial()}) {
        if (auto made = make_folder(folder); !made) {
            return std::unexpected(made.error());
        }
    }
    return owner;
}

// Of two nodes that come at once one makes the file; the other reads it.
Result<NodeId> ModelFolder::take(const NodeId& node) const {
    const fs::path marker = path_ / kOwner;
    const fs::path own = path_ / fmt::format(".owner-{}", node.str());
    const std::string text = json::encode(OwnerText{node}) + "\n";
    if (auto written = replace_file(own.string(), text, 0644); !written) {
        // A mount that cannot be written belongs to somebody else.
        if (!fs::exists(marker)) {
            return std::unexpected(written.error());
        }
    }
    const bool made = ::link(own.c_str(), marker.c_str()) == 0;
    std::error_code ignored;
    fs::remove(own, ignored);
    if (made) {
        return node;
    }
    auto read = load_file(marker.string());
    if (!read) {
        return std::unexpected(read.error());
    }
    auto owner = json::decode<OwnerText>(*read);
    if (!owner || !valid_id(owner->node_id.str())) {
        return fail(
            Errc::internal,
            fmt::format("{}: does not name a node: remove it to take the folder", marker.string())
        );
    }
    return owner->node_id;
}

Result<ModelIndex> ModelFolder::load_index() const {
    const std::string path = (path_ / kIndex).string();
    const auto text = load_file(path, kLargestIndex);
    if (!text) {
        return text.error().code == Errc::not_found ? Result<ModelIndex>(ModelIndex{})
                                                    : std::unexpected(text.error());
    }
    auto index = ModelIndex::parse(*text);
    if (!index) {
        return fail(Errc::internal, fmt::format("{}: is corrupt: {}", path, index.error().message));
    }
    return index;
}

Result<void> ModelFolder::save_index(std::string text, std::uint64_t version) {
    const std::lock_guard lock(saving_);
    if (version <= saved_version_) {
        return {};
    }
    auto saved = replace_file((path_ / kIndex).string(), text, 0644);
    if (saved) {
        saved_version_ = version;
    }
    return saved;
}

FolderListing ModelFolder::list() const {
    FolderListing out;
    list_into(out, path_, "");
    list_into(out, path_ / "blobs", "blobs/");
    return out;
}

Result<Bytes> ModelFolder::free_bytes() const {
    struct statvfs status{};
    if (::statvfs(path_.c_str(), &status) != 0) {
        return failed(path_, "its free space cannot be told", errno);
    }
    return static_cast<Bytes>(status.f_bavail) * status.f_frsize;
}

Result<OpenedFile> ModelFolder::open(const std::string& name) const {
    return open_regular(path_ / name, false);
}

Result<void> ModelFolder::remove(const std::string& name) const {
    const fs::path path = path_ / name;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return failed(path, "cannot be removed", errno);
    }
    return {};
}

Result<void> ModelFolder::adopt(const fs::path& partial_file, const std::string& name) const {
    const fs::path target = path_ / name;
    if (std::rename(partial_file.c_str(), target.c_str()) != 0) {
        return failed(target, "cannot be put in place", errno);
    }
    if (!sync_folder(target.parent_path())) {
        return failed(target, "cannot be made durable", errno);
    }
    return {};
}

}  // namespace orch::node::models
