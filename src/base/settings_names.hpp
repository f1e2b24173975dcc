#pragma once

#include "base/settings.hpp"

#include <string>
#include <string_view>
#include <vector>

// Inside the settings reader: which names stand for which setting, and what a source says of them.
namespace orch::settings_detail {

enum class TimeUnit { none, seconds, milliseconds };

// One name that a setting goes by.
struct Name {
    const Setting* setting = nullptr;
    std::string env;  // empty for a setting without an environment form
    std::string key;  // YAML; the flag has - for _
    TimeUnit unit = TimeUnit::none;
    bool negated = false;
    bool deprecated = false;
};

// All names of a table, which must outlive it. Throws std::logic_error when two settings share one.
class Names {
public:
    explicit Names(const SettingsTable& table);

    const Name* find_env(std::string_view env) const;

    // `key` with - or _.
    const Name* find_key(std::string_view key) const;

    // The setting's own name, as the table has it.
    const Name& get_own(const Setting& setting) const;

    std::vector<std::string> envs() const;
    std::vector<std::string> keys() const;

    // In the table's order, a setting's own name before its aliases.
    const std::vector<Name>& all() const { return names_; }

private:
    void add(const SettingsTable& table, const Setting& setting, const SettingAlias& alias);
    void add_one(Name name);

    std::vector<Name> names_;
};

// What one source says about one setting.
struct RawValue {
    const Name* name = nullptr;
    std::string text;
    Origin origin;
};

// The findings of one source; of two values of one setting the first is the stronger.
struct Findings {
    std::vector<RawValue> values{};
    std::vector<std::string> errors{};
    std::vector<std::string> warnings{};
};

// "--node-timeout-secs" for node_timeout_secs.
std::string flag_of(std::string_view key);

}  // namespace orch::settings_detail
