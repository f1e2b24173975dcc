#include "node/supervisor/record_folder.hpp"

#include "base/file.hpp"
#include "base/replace_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace orch::node::supervisor {

namespace fs = std::filesystem;

Result<void> RecordFolder::prepare() const {
    std::error_code failure;
    fs::create_directories(path_, failure);
    if (failure) {
        return fail(
            Errc::internal, fmt::format("{}: cannot be made: {}", path_.string(), failure.message())
        );
    }
    return {};
}

std::vector<RecordFolder::Record> RecordFolder::load_all() const {
    std::vector<Record> records;
    std::error_code failure;
    fs::directory_iterator entry(path_, failure);
    for (; !failure && entry != fs::directory_iterator(); entry.increment(failure)) {
        if (entry->path().extension() != ".json") {
            continue;
        }
        if (auto text = load_file(entry->path().string())) {
            records.push_back({entry->path().filename().string(), std::move(*text)});
        }
    }
    std::ranges::sort(records, {}, &Record::name);
    return records;
}

Result<void> RecordFolder::save(const std::string& name, std::string_view text) const {
    return replace_file((path_ / name).string(), text);
}

void RecordFolder::remove(const std::string& name) const {
    std::error_code ignored;
    fs::remove(path_ / name, ignored);
}

}  // namespace orch::node::supervisor
