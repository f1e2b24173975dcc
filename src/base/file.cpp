#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace orch {
namespace {

std::unexpected<Error> failed(const std::string& path, int number) {
    const Errc code = number == ENOENT ? Errc::not_found : Errc::internal;
    const std::string why = std::generic_category().message(number);
    return fail(code, fmt::format("{}: cannot be read: {}", path, why));
}

Result<std::string> read_all(int descriptor, const std::string& path, Bytes limit) {
    std::string text;
    std::array<char, 16 * kKiB> piece;
    for (;;) {
        const ssize_t count = ::read(descriptor, piece.data(), piece.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return failed(path, errno);
        }
        if (count == 0) {
            return text;
        }
        text.append(piece.data(), static_cast<std::size_t>(count));
        if (text.size() > limit) {
            return fail(
                Errc::payload_too_large, fmt::format("{}: is larger than {} bytes", path, limit)
            );
        }
    }
}

}  // namespace

Result<std::string> load_file(const std::string& path, Bytes limit) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return failed(path, errno);
    }
    auto text = read_all(descriptor, path, limit);
    ::close(descriptor);
    return text;
}

}  // namespace orch
