#include "base/settings_names.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace orch::settings_detail {
namespace {

constexpr std::string_view kSeconds = "_secs";
constexpr std::string_view kMilliseconds = "_ms";

std::string lower(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    return out;
}

std::string upper(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    }
    return out;
}

std::string key_of(const SettingsTable& table, std::string_view env) {
    for (const std::string& prefix : table.prefixes) {
        if (env.starts_with(prefix)) {
            return lower(env.substr(prefix.size()));
        }
    }
    return lower(env);
}

void replace_suffix(Name& name, std::string_view from, std::string_view to) {
    name.key = name.key.substr(0, name.key.size() - from.size()) + std::string(to);
    if (!name.env.empty()) {
        name.env = name.env.substr(0, name.env.size() - from.size()) + upper(to);
    }
}

}  // namespace

Names::Names(const SettingsTable& table) {
    for (const Setting& setting : table.settings) {
        add(table, setting, {setting.name});
        for (const SettingAlias& alias : setting.aliases) {
            add(table, setting, alias);
        }
    }
}

void Names::add(const SettingsTable& table, const Setting& setting, const SettingAlias& alias) {
    Name name{.setting = &setting, .env = {}, .key = key_of(table, alias.name)};
    name.negated = alias.negated;
    name.deprecated = alias.deprecated;
    if (alias.name != lower(alias.name)) {
        name.env = alias.name;
    }
    if (setting.kind != SettingKind::duration) {
        add_one(std::move(name));
        return;
    }
    const bool seconds = name.key.ends_with(kSeconds);
    if (!seconds && !name.key.ends_with(kMilliseconds)) {
        throw std::logic_error(alias.name + ": a duration's name ends in _SECS or _MS");
    }
    name.unit = seconds ? TimeUnit::seconds : TimeUnit::milliseconds;
    add_one(name);
    replace_suffix(name, seconds ? kSeconds : kMilliseconds, seconds ? kMilliseconds : kSeconds);
    name.unit = seconds ? TimeUnit::milliseconds : TimeUnit::seconds;
    add_one(std::move(name));
}

void Names::add_one(Name name) {
    const Name* const same = find_key(name.key);
    if (same != nullptr && (same->setting != name.setting || same->negated != name.negated)) {
        throw std::logic_error(name.key + " names two settings");
    }
    names_.push_back(std::move(name));
}

const Name* Names::find_env(std::string_view env) const {
    const auto found = std::ranges::find(names_, env, &Name::env);
    return found == names_.end() || env.empty() ? nullptr : &*found;
}

const Name* Names::find_key(std::string_view key) const {
    std::string wanted(key);
    std::ranges::replace(wanted, '-', '_');
    const auto found = std::ranges::find(names_, wanted, &Name::key);
    return found == names_.end() ? nullptr : &*found;
}

const Name& Names::get_own(const Setting& setting) const {
    return *std::ranges::find(names_, &setting, &Name::setting);
}

std::vector<std::string> Names::envs() const {
    std::vector<std::string> all;
    for (const Name& name : names_) {
        if (!name.env.empty()) {
            all.push_back(name.env);
        }
    }
    return all;
}

std::vector<std::string> Names::keys() const {
    std::vector<std::string> all;
    std::ranges::transform(names_, std::back_inserter(all), &Name::key);
    return all;
}

std::string flag_of(std::string_view key) {
    std::string flag = "--" + std::string(key);
    std::ranges::replace(flag, '_', '-');
    return flag;
}

}  // namespace orch::settings_detail
