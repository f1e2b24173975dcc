#include "node/handoff/handoff_memory.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::node::handoff {

bool is_handoff_name(std::string_view file_name) {
    constexpr std::string_view kExtension = ".json";
    return file_name.ends_with(kExtension) && file_name.size() > kExtension.size() &&
           !file_name.starts_with('.');
}

bool HandoffMemory::is_news(std::string_view name, const FileStamp& stamp) const {
    const auto known = seen_.find(name);
    return known == seen_.end() || known->second != stamp;
}

HandoffVerdict HandoffMemory::judge(
    std::string_view name, const FileStamp& stamp, Duration age, std::string_view content
) {
    auto file = api::parse_handoff_file(content);
    const bool malformed = !file && file.error().kind == api::HandoffRejection::Kind::malformed;
    if (malformed && age >= Duration{} && age < kSettleTime) {
        return WaitForWriter{};
    }
    note(name, stamp);
    if (file) {
        return TakeIn{std::move(*file)};
    }
    if (malformed) {
        return SetAside{std::move(file.error().reason), fmt::format("{}.rejected", name)};
    }
    return IgnoreOtherSchema{};
}

void HandoffMemory::note(std::string_view name, const FileStamp& stamp) {
    seen_.insert_or_assign(std::string(name), stamp);
}

void HandoffMemory::retain(const std::set<std::string, std::less<>>& names) {
    std::erase_if(seen_, [&](const auto& entry) { return !names.contains(entry.first); });
}

}  // namespace orch::node::handoff
