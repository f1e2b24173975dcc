#include "apps/llorch/token_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace orch::llorch {
namespace {

std::unexpected<Failure> cannot(const std::string& path, int error) {
    if (error == EEXIST) {
        return failed(
            ExitCode::usage, fmt::format("--out: {} exists; it is kept, name another file", path)
        );
    }
    return failed(
        ExitCode::usage, fmt::format("--out: cannot write {}: {}", path, std::strerror(error))
    );
}

// 0, or what went wrong.
int write_out(int file, const std::string& text) {
    if (fchmod(file, S_IRUSR | S_IWUSR) != 0) {  // whatever the umask takes away
        return errno;
    }
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0) {
        return errno;
    }
    if (static_cast<std::size_t>(written) != text.size()) {
        return ENOSPC;
    }
    return fsync(file) == 0 ? 0 : errno;
}

}  // namespace

Outcome<void> create_token_file(const std::string& path, const std::string& token) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) {
        return cannot(path, errno);
    }
    int error = write_out(file, token + "\n");
    if (close(file) != 0 && error == 0) {
        error = errno;
    }
    if (error != 0) {
        unlink(path.c_str());
        return cannot(path, error);
    }
    return {};
}

}  // namespace orch::llorch
