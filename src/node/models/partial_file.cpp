#include "node/models/partial_file.hpp"

#include "node/models/file_hash.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace orch::node::models {
namespace {

constexpr std::string_view kMagic = "GGUF";

std::unexpected<Error> failed(std::string_view what) {
    return fail(
        Errc::internal, fmt::format("{}: {}", what, std::generic_category().message(errno))
    );
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(file, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) {
            return false;
        }
        bytes.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return true;
}

}  // namespace

Result<std::unique_ptr<PartialFile>> PartialFile::create(
    const ModelFolder& folder, const std::string& name
) {
    std::filesystem::path path = folder.partial() / name;
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file) {
        return failed(path.string() + ": cannot be made");
    }
    return std::unique_ptr<PartialFile>(new PartialFile(folder, std::move(path), std::move(file)));
}

PartialFile::PartialFile(const ModelFolder& folder, std::filesystem::path path, UniqueFd file)
    : folder_(folder), path_(std::move(path)), file_(std::move(file)) {}

PartialFile::~PartialFile() {
    if (!path_.empty()) {
        ::unlink(path_.c_str());
    }
}

Result<void> PartialFile::append(std::string_view bytes) {
    if (begin_.size() < kMagic.size()) {
        begin_ += bytes.substr(0, kMagic.size() - begin_.size());
        if (!kMagic.starts_with(begin_)) {
            return fail(Errc::invalid_params, "source: is no GGUF file");
        }
    }
    if (!write_all(file_.get(), bytes)) {
        return failed(path_.string() + ": cannot be written");
    }
    hash_.update(bytes);
    written_ += bytes.size();
    return {};
}

Result<void> PartialFile::restart() {
    if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0) {
        return failed(path_.string() + ": cannot be emptied");
    }
    hash_ = Sha256();
    written_ = 0;
    begin_.clear();
    return {};
}

std::string PartialFile::digest() {
    return digest_text(hash_.finish());
}

Result<std::string> PartialFile::put_in_place(const std::string& digest) {
    if (begin_ != kMagic) {
        return fail(Errc::invalid_params, "source: is no GGUF file");
    }
    if (::fsync(file_.get()) != 0) {
        return failed(path_.string() + ": cannot be made durable");
    }
    std::string name = blob_name(digest);
    if (auto moved = folder_.adopt(path_, name); !moved) {
        return std::unexpected(moved.error());
    }
    path_.clear();
    return name;
}

}  // namespace orch::node::models
