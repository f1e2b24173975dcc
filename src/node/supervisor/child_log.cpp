#include "node/supervisor/child_log.hpp"

#include "base/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <system_error>
#include <vector>

namespace orch::node::supervisor {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".log";

// The n of a replica's log; nothing for other files. A pool's id may begin with another's.
std::optional<std::uint64_t> number_of(std::string_view name, std::string_view prefix) {
    if (!name.starts_with(prefix) || !name.ends_with(kSuffix)) {
        return std::nullopt;
    }
    name.remove_prefix(prefix.size());
    name.remove_suffix(std::min(kSuffix.size(), name.size()));
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool whole = error == std::errc{} && stop == name.data() + name.size();
    return whole ? std::optional(number) : std::nullopt;
}

std::string copy_of(const std::string& log) {
    return log + ".1";
}

}  // namespace

Result<std::string> next_log(const fs::path& folder, const PoolId& pool, const ReplicaId& replica) {
    const std::string prefix = fmt::format("{}-{}-", pool.str(), replica.str());
    const auto path_of = [&](std::uint64_t number) {
        return (folder / fmt::format("{}{}{}", prefix, number, kSuffix)).string();
    };
    std::vector<std::uint64_t> numbers;
    std::error_code failure;
    fs::directory_iterator entry(folder, failure);
    for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
        if (const auto number = number_of(entry->path().filename().string(), prefix)) {
            numbers.push_back(*number);
        }
    }
    if (failure) {
        return fail(
            Errc::internal,
            fmt::format("{}: cannot be read: {}", folder.string(), failure.message())
        );
    }
    std::ranges::sort(numbers, std::greater{});
    for (std::size_t i = kLogsKept - 1; i < numbers.size(); ++i) {
        fs::remove(path_of(numbers[i]), failure);
        fs::remove(copy_of(path_of(numbers[i])), failure);
    }
    return path_of(numbers.empty() ? 1 : numbers.front() + 1);
}

std::string load_log_tail(const std::string& path, Bytes limit) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) {
        return {};
    }
    const auto size = static_cast<Bytes>(std::max<std::streamoff>(file.tellg(), 0));
    std::string text(std::min(size, limit), '\0');
    file.seekg(static_cast<std::streamoff>(size - text.size()));
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return to_valid_utf8(text);
}

std::string_view last_lines(std::string_view text, std::size_t lines, Bytes bytes) {
    while (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    std::size_t begin = text.size();
    while (begin > 0 && lines > 0) {
        const std::size_t before = text.rfind('\n', begin - 1);
        const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
        if (text.size() - start > bytes) {
            break;
        }
        begin = start;
        if (--lines == 0 || begin == 0) {
            break;
        }
        --begin;
    }
    if (begin == text.size() && text.size() > bytes) {
        begin = text.size() - bytes;
    }
    text.remove_prefix(begin);
    return text.starts_with('\n') ? text.substr(1) : text;
}

void trim_log(const std::string& path, Bytes limit) {
    std::error_code failure;
    const std::uintmax_t size = fs::file_size(path, failure);
    if (failure || size <= limit) {
        return;
    }
    fs::copy_file(path, copy_of(path), fs::copy_options::overwrite_existing, failure);
    fs::resize_file(path, 0, failure);
}

}  // namespace orch::node::supervisor
