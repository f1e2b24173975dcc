#include "base/state_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace orch {

StateLock::StateLock(StateLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

StateLock& StateLock::operator=(StateLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
}

StateLock::~StateLock() {
    if (file_ >= 0) {
        ::close(file_);
    }
}

Result<StateLock> lock_state_dir(const std::filesystem::path& path) {
    std::error_code failure;
    std::filesystem::create_directories(path, failure);
    if (failure) {
        return fail(
            Errc::internal,
            fmt::format("state directory {}: cannot be made: {}", path.string(), failure.message())
        );
    }
    const std::string file = (path / "lock").string();
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        const std::string why = std::generic_category().message(errno);
        return fail(Errc::internal, fmt::format("{}: cannot be opened: {}", file, why));
    }
    StateLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        return fail(
            Errc::conflict,
            fmt::format("state directory {}: in use by another daemon", path.string())
        );
    }
    return lock;
}

}  // namespace orch
