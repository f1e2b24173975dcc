#include "audit/chain.hpp"

#include "base/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace orch::audit {
namespace {

constexpr Bytes kLargestFile = 4 * kGiB;

bool is_audit_file(std::string_view name) {
    constexpr std::string_view kShape = "####-##-##.ndjson";  // # is a digit
    return std::ranges::equal(name, kShape, [](char c, char wanted) {
        return wanted == '#' ? c >= '0' && c <= '9' : c == wanted;
    });
}

}  // namespace

void Chain::add_file(std::string_view name, std::string_view text) {
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const std::string place = fmt::format("{}:{}", name, number);
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) {
            notes_.push_back(fmt::format(
                "{}: the last line is incomplete: the program was cut off while it wrote, or is "
                "writing now",
                place
            ));
            return;
        }
        add_line(place, text.substr(0, end));
        text.remove_prefix(end + 1);
    }
}

void Chain::add_line(std::string_view place, std::string_view line) {
    const auto links = read_links(line);
    ++records_;
    if (!links) {
        errors_.push_back(fmt::format("{}: {}", place, links.error().message));
        return;
    }
    if (hash_.empty() && errors_.empty() && links->prev_hash != first_hash()) {
        notes_.push_back(fmt::format("{}: the chain begins in an older file", place));
    } else if (!hash_.empty() && links->prev_hash != hash_) {
        errors_.push_back(fmt::format(
            "{}: it does not follow the record before it: one was removed, put in or changed", place
        ));
    }
    hash_ = links->hash;
}

Result<std::vector<std::string>> list_files(const std::string& folder) {
    std::error_code failure;
    std::vector<std::string> paths;
    for (std::filesystem::directory_iterator entry(folder, failure), end; entry != end;
         entry.increment(failure)) {
        if (failure) {
            break;
        }
        if (is_audit_file(entry->path().filename().string())) {
            paths.push_back(entry->path().string());
        }
    }
    if (failure) {
        return fail(Errc::not_found, fmt::format("{}: {}", folder, failure.message()));
    }
    std::ranges::sort(paths);
    return paths;
}

Result<Chain> load_chain(const std::string& folder) {
    const auto paths = list_files(folder);
    if (!paths) {
        return std::unexpected(paths.error());
    }
    Chain chain;
    for (const std::string& path : *paths) {
        const auto text = load_file(path, kLargestFile);
        if (!text) {
            return std::unexpected(text.error());
        }
        chain.add_file(std::filesystem::path(path).filename().string(), *text);
    }
    return chain;
}

}  // namespace orch::audit
