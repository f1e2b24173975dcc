#include "base/replace_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace orch {
namespace {

std::unexpected<Error> failed(const std::string& path, std::string_view what) {
    const std::string why = std::generic_category().message(errno);
    return fail(Errc::internal, fmt::format("{}: cannot be {}: {}", path, what, why));
}

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}

    ~Descriptor() { close(); }

    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const { return number_; }

    bool close() { return number_ < 0 || ::close(std::exchange(number_, -1)) == 0; }

private:
    int number_;
};

bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const ssize_t count = ::write(descriptor, content.data(), content.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return false;
        }
        content.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool sync_folder(const std::string& folder) {
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return descriptor.get() >= 0 && ::fsync(descriptor.get()) == 0;
}

// Fills the temporary file; it is whole on disk when this succeeds.
bool fill(Descriptor& file, std::string_view content, mode_t mode) {
    return ::fchmod(file.get(), mode) == 0 && write_all(file.get(), content) &&
           ::fsync(file.get()) == 0 && file.close();
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode) {
    const std::filesystem::path target(path);
    const std::string folder = target.has_parent_path() ? target.parent_path().string() : ".";
    std::string temporary = fmt::format("{}/.{}.XXXXXX", folder, target.filename().string());
    Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (file.get() < 0) {
        return failed(path, "written");
    }
    if (!fill(file, content, mode) || std::rename(temporary.c_str(), path.c_str()) != 0) {
        auto error = failed(path, "written");
        ::unlink(temporary.c_str());
        return error;
    }
    if (!sync_folder(folder)) {
        return failed(path, "made durable");
    }
    return {};
}

}  // namespace orch
