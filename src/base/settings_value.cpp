#include "base/settings_value.hpp"

#include "base/text.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

namespace orch::settings_detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLongest = std::chrono::hours(24);
constexpr milliseconds kShortestInSeconds{1000};
constexpr milliseconds kShortestInMilliseconds{10};

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, number);
    const bool good = !text.empty() && problem == std::errc{} && stop == end;
    return good ? std::optional(number) : std::nullopt;
}

std::optional<bool> truth(std::string_view text) {
    if (text == "true" || text == "1") {
        return true;
    }
    return text == "false" || text == "0" ? std::optional(false) : std::nullopt;
}

std::unexpected<Error> must_be(std::string what) {
    return fail(Errc::invalid_params, "must be " + std::move(what));
}

Result<SettingValue> parse_boolean(std::string_view text) {
    if (const auto value = truth(text)) {
        return SettingValue(*value);
    }
    return must_be("true, false, 1 or 0");
}

Result<SettingValue> parse_number(const Setting& setting, std::string_view text) {
    const auto number = whole_number(text);
    if (number && *number >= setting.low && *number <= setting.high) {
        return SettingValue(*number);
    }
    return must_be(fmt::format("a whole number from {} to {}", setting.low, setting.high));
}

Result<SettingValue> parse_duration(const Setting& setting, TimeUnit unit, std::string_view text) {
    const bool in_seconds = unit == TimeUnit::seconds;
    const auto scale = static_cast<std::uint64_t>(in_seconds ? 1000 : 1);
    const auto high = static_cast<std::uint64_t>(kLongest.count()) / scale;
    const auto shortest = in_seconds ? kShortestInSeconds : kShortestInMilliseconds;
    const auto low = static_cast<std::uint64_t>(shortest.count()) / scale;
    const auto number = whole_number(text);
    const bool zero = number && *number == 0 && setting.zero_allowed;
    if (zero || (number && *number >= low && *number <= high)) {
        return SettingValue(Duration(milliseconds(static_cast<std::int64_t>(*number * scale))));
    }
    return must_be(fmt::format(
        "{}a whole number of {} from {} to {}",
        setting.zero_allowed ? "0 or " : "",
        in_seconds ? "seconds" : "milliseconds",
        low,
        high
    ));
}

Result<SettingValue> parse_address(std::string_view text) {
    auto address = parse_host_port(text);
    if (!address) {
        return std::unexpected(address.error());
    }
    return SettingValue(std::move(*address));
}

bool good_url(std::string_view text) {
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!parsed) {
        return false;
    }
    const boost::urls::url_view url = *parsed;
    const bool scheme = url.scheme() == "http" || url.scheme() == "https";
    const bool port = url.port().empty() || url.port_number() != 0;
    return scheme && port && !url.encoded_host().empty() && !url.has_userinfo() &&
           !url.has_query() && !url.has_fragment();
}

constexpr std::string_view kUrlShape =
    "http://HOST[:PORT] or https://HOST[:PORT], with a path at most (no user, query or fragment)";

Result<SettingValue> parse_list(const Setting& setting, std::string_view text) {
    std::vector<std::string> parts;
    for (const std::string_view part : split(text, ',')) {
        if (part.empty()) {
            continue;
        }
        if (setting.kind == SettingKind::url_list && !good_url(part)) {
            return must_be(fmt::format("a comma separated list of {}", kUrlShape));
        }
        parts.emplace_back(part);
    }
    return SettingValue(std::move(parts));
}

Result<SettingValue> parse_choice(const Setting& setting, std::string_view text) {
    if (std::ranges::find(setting.choices, text) == setting.choices.end()) {
        return must_be(fmt::format("one of {}", fmt::join(setting.choices, ", ")));
    }
    return SettingValue(std::string(text));
}

}  // namespace

Result<SettingValue> parse_value(const Setting& setting, TimeUnit unit, std::string_view text) {
    switch (setting.kind) {
        case SettingKind::text:
        case SettingKind::path:
            return SettingValue(std::string(text));
        case SettingKind::boolean:
            return parse_boolean(text);
        case SettingKind::number:
            return parse_number(setting, text);
        case SettingKind::duration:
            return parse_duration(setting, unit, text);
        case SettingKind::address:
            return parse_address(text);
        case SettingKind::url:
            return good_url(text) ? Result<SettingValue>(std::string(text))
                                  : must_be(std::string(kUrlShape));
        case SettingKind::url_list:
        case SettingKind::list:
            return parse_list(setting, text);
        case SettingKind::choice:
            return parse_choice(setting, text);
    }
    return must_be("of a known kind");
}

std::string negated(std::string_view text) {
    const auto value = truth(text);
    if (!value) {
        return std::string(text);
    }
    return *value ? "false" : "true";
}

}  // namespace orch::settings_detail
