#include "gguf/split_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orch::gguf {
namespace {

// The form is gguf-split's: "%s-%05d-of-%05d.gguf".
constexpr std::string_view kFirst = "-00001-of-";
constexpr std::string_view kExtension = ".gguf";
constexpr std::size_t kDigits = 5;
constexpr std::size_t kTail = kFirst.size() + kDigits + kExtension.size();

// 0 for a file that is no first part.
unsigned count_parts(std::string_view path) {
    if (path.size() < kTail || !path.ends_with(kExtension)) {
        return 0;
    }
    const std::string_view tail = path.substr(path.size() - kTail);
    const std::string_view count = tail.substr(kFirst.size(), kDigits);
    if (!tail.starts_with(kFirst) ||
        !std::ranges::all_of(count, [](char c) { return c >= '0' && c <= '9'; })) {
        return 0;
    }
    unsigned parts = 0;
    for (const char digit : count) {
        parts = 10 * parts + static_cast<unsigned>(digit - '0');
    }
    return parts;
}

}  // namespace

std::vector<std::string> files_of_model(std::string_view path) {
    std::vector<std::string> files{std::string(path)};
    const unsigned parts = count_parts(path);
    const std::string_view base = path.substr(0, path.size() - std::min(path.size(), kTail));
    for (unsigned part = 2; part <= parts; ++part) {
        files.push_back(fmt::format("{}-{:05}-of-{:05}{}", base, part, parts, kExtension));
    }
    return files;
}

}  // namespace orch::gguf
