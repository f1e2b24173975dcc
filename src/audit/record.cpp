#include "audit/record.hpp"

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/utf8.hpp"

namespace orch::audit {
namespace {

namespace bj = json::bj;

constexpr std::size_t kHashLength = 64;
constexpr std::string_view kHashKey = R"(,"hash":")";
constexpr std::string_view kEnd = R"("})";
constexpr std::size_t kTail = kHashKey.size() + kHashLength + kEnd.size();

}  // namespace

std::string first_hash() {
    return std::string(kHashLength, '0');
}

Line make_line(const Event& event, WallTime when, std::string_view prev_hash) {
    bj::object details;
    for (const auto& [name, value] : event.details) {
        details[to_valid_utf8(name)] = to_valid_utf8(value);
    }
    const bj::object record{
        {"ts", rfc3339(when)},
        {"event", to_valid_utf8(event.event)},
        {"identity", to_valid_utf8(event.identity)},
        {"correlation_id", to_valid_utf8(event.correlation_id)},
        {"outcome", to_valid_utf8(event.outcome)},
        {"details", std::move(details)},
        {"prev_hash", prev_hash},
    };
    std::string text = json::serialize(record);
    text.pop_back();  // the brace
    Line line;
    line.hash = sha256_hex(text);
    line.text = text.append(kHashKey).append(line.hash).append(kEnd).append("\n");
    return line;
}

Result<Links> read_links(std::string_view line) {
    const bool framed = line.size() > kTail && line.ends_with(kEnd) &&
                        line.substr(line.size() - kTail).starts_with(kHashKey);
    if (!framed) {
        return fail(Errc::invalid_params, "it is no audit record");
    }
    const std::string_view text = line.substr(0, line.size() - kTail);
    const std::string_view hash = line.substr(text.size() + kHashKey.size(), kHashLength);
    if (sha256_hex(text) != hash) {
        return fail(Errc::invalid_params, "it was changed: its hash is not that of its text");
    }
    const auto tree = json::parse(line);
    const bj::object* const record = tree ? tree->if_object() : nullptr;
    const bj::value* const previous =
        record != nullptr ? record->if_contains("prev_hash") : nullptr;
    if (previous == nullptr || !previous->is_string()) {
        return fail(Errc::invalid_params, "it is no audit record");
    }
    return Links{std::string(previous->get_string()), std::string(hash)};
}

}  // namespace orch::audit
