#include "base/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace orch {

std::string Origin::describe() const {
    switch (source) {
        case Source::fallback:
            return "default";
        case Source::file:
            return "file " + place;
        case Source::environment:
            return "environment " + place;
        case Source::flag:
            return "flag " + place;
    }
    return place;
}

const Settings::Entry& Settings::entry(std::string_view name) const {
    const auto found = std::ranges::find_if(entries_, [name](const Entry& candidate) {
        return candidate.setting.name == name;
    });
    if (found == entries_.end()) {
        throw std::logic_error(fmt::format("{} is not in the table of settings", name));
    }
    return *found;
}

bool Settings::given(std::string_view name) const {
    return entry(name).origin.source != Origin::Source::fallback;
}

template <class T>
std::optional<T> Settings::find(std::string_view name) const {
    const SettingValue& value = entry(name).value;
    if (std::holds_alternative<std::monostate>(value)) {
        return std::nullopt;
    }
    const T* const held = std::get_if<T>(&value);
    if (held == nullptr) {
        throw std::logic_error(fmt::format("{} is of another kind", name));
    }
    return *held;
}

template <class T>
T Settings::get(std::string_view name) const {
    auto value = find<T>(name);
    if (!value) {
        throw std::logic_error(fmt::format("{} has no value and no default", name));
    }
    return *std::move(value);
}

std::optional<std::string> Settings::find_text(std::string_view name) const {
    return find<std::string>(name);
}

std::optional<bool> Settings::find_bool(std::string_view name) const {
    return find<bool>(name);
}

std::optional<std::uint64_t> Settings::find_number(std::string_view name) const {
    return find<std::uint64_t>(name);
}

std::optional<Duration> Settings::find_duration(std::string_view name) const {
    return find<Duration>(name);
}

std::optional<HostPort> Settings::find_address(std::string_view name) const {
    return find<HostPort>(name);
}

std::string Settings::get_text(std::string_view name) const {
    return get<std::string>(name);
}

bool Settings::get_bool(std::string_view name) const {
    return get<bool>(name);
}

std::uint64_t Settings::get_number(std::string_view name) const {
    return get<std::uint64_t>(name);
}

Duration Settings::get_duration(std::string_view name) const {
    return get<Duration>(name);
}

HostPort Settings::get_address(std::string_view name) const {
    return get<HostPort>(name);
}

std::vector<std::string> Settings::get_list(std::string_view name) const {
    return find<std::vector<std::string>>(name).value_or(std::vector<std::string>{});
}

std::vector<std::string> changed_settings(const Settings& before, const Settings& after) {
    std::vector<std::string> names;
    for (const Settings::Entry& entry : after.entries()) {
        if (entry.value != before.entry(entry.setting.name).value) {
            names.push_back(entry.setting.name);
        }
    }
    return names;
}

}  // namespace orch
