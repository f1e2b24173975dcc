#include "node/models/file_hash.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace orch::node::models {
namespace {

constexpr std::size_t kRead = kMiB;

}  // namespace

std::string digest_text(const Sha256Digest& digest) {
    return "sha256:" + hex(digest);
}

Result<std::size_t> read_at(int file, char* buffer, std::size_t room, Bytes offset) {
    for (;;) {
        const ssize_t count = ::pread(file, buffer, room, static_cast<off_t>(offset));
        if (count >= 0) {
            return static_cast<std::size_t>(count);
        }
        if (errno != EINTR) {
            return fail(
                Errc::internal, "the file cannot be read: " + std::generic_category().message(errno)
            );
        }
    }
}

FileHash::FileHash(OpenedFile file)
    : file_(std::move(file)), buffer_(std::make_unique<char[]>(kRead)) {}

Result<bool> FileHash::step() {
    for (Bytes piece = 0; piece < kPiece;) {
        const auto count = read_at(file_.file.get(), buffer_.get(), kRead, done_);
        if (!count) {
            return std::unexpected(count.error());
        }
        if (*count == 0) {
            return true;
        }
        hash_.update(std::string_view(buffer_.get(), *count));
        done_ += *count;
        piece += *count;
    }
    return false;
}

}  // namespace orch::node::models
