#include "apps/llorch/figures.hpp"

#include "apps/llorch/printable.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace orch::llorch {
namespace {

double gib(Bytes bytes) {
    return static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0);
}

}  // namespace

std::string age_text(std::int64_t ms) {
    constexpr std::int64_t kSecond = 1000;
    constexpr std::int64_t kMinute = 60 * kSecond;
    constexpr std::int64_t kHour = 60 * kMinute;
    constexpr std::int64_t kDay = 24 * kHour;
    if (ms < kSecond) {
        return fmt::format("{}ms", std::max<std::int64_t>(ms, 0));
    }
    if (ms < kMinute) {
        return fmt::format("{}s", ms / kSecond);
    }
    if (ms < kHour) {
        return fmt::format("{}m", ms / kMinute);
    }
    return ms < kDay ? fmt::format("{}h", ms / kHour) : fmt::format("{}d", ms / kDay);
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
    return fmt::format("{}/{}", part, whole);
}

std::string vram_text(Bytes free, std::optional<Bytes> total) {
    if (total.value_or(0) != 0) {
        return fmt::format("{:.1f}/{:.1f} GiB", gib(free), gib(*total));
    }
    return free == 0 ? kUnknown : fmt::format("{:.1f} GiB", gib(free));
}

std::string percent_text(double share) {
    return fmt::format("{:.0f}%", std::clamp(share, 0.0, 1.0) * 100);
}

std::string number_text(const std::optional<std::uint32_t>& number) {
    return number ? fmt::format("{}", *number) : kUnknown;
}

std::string or_unknown(const std::optional<std::string>& text) {
    return text && !text->empty() ? printable(*text) : kUnknown;
}

std::string list_text(const std::vector<std::string>& items) {
    return items.empty() ? kUnknown : printable(fmt::format("{}", fmt::join(items, ", ")));
}

}  // namespace orch::llorch
