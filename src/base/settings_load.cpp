#include "base/file.hpp"
#include "base/settings.hpp"
#include "base/settings_arguments.hpp"
#include "base/settings_names.hpp"
#include "base/settings_value.hpp"
#include "base/settings_yaml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

namespace orch {
namespace {

using namespace settings_detail;

// Takes the findings of the sources, strongest first, and makes one value of each setting.
class Merge {
public:
    Merge(const SettingsTable& table, const Names& names, SettingsRead& read)
        : table_(table), names_(names), read_(read) {}

    void take(Findings findings) {
        std::ranges::move(findings.errors, std::back_inserter(read_.errors));
        std::ranges::move(findings.warnings, std::back_inserter(read_.warnings));
        std::ranges::move(findings.values, std::back_inserter(raw_));
    }

    void finish() {
        std::vector<Settings::Entry> entries;
        for (const Setting& setting : table_.settings) {
            entries.push_back(resolve(setting));
        }
        read_.settings = Settings(std::move(entries));
    }

private:
    Settings::Entry resolve(const Setting& setting) {
        std::optional<Settings::Entry> chosen;
        const RawValue* first = nullptr;
        for (const RawValue& raw : raw_) {
            if (raw.name->setting != &setting) {
                continue;
            }
            if (raw.name->deprecated) {
                read_.warnings.push_back(
                    fmt::format("{} is an old name of {}", raw.origin.describe(), setting.name)
                );
            }
            if (first == nullptr) {
                first = &raw;
            } else {
                compare(*first, raw);
            }
            auto entry = parse(raw);
            if (entry && !chosen) {
                chosen = std::move(entry);
            }
        }
        return chosen ? std::move(*chosen) : fallback(setting);
    }

    void compare(const RawValue& first, const RawValue& other) {
        if (first.name->unit != other.name->unit) {
            read_.errors.push_back(fmt::format(
                "{} and {} are the same setting in two units; give one of them",
                first.origin.describe(),
                other.origin.describe()
            ));
        } else if (first.origin.source == Origin::Source::environment &&
                   other.origin.source == first.origin.source && first.text != other.text) {
            read_.warnings.push_back(
                fmt::format("{} is ignored: {} is set too", other.origin.place, first.origin.place)
            );
        }
    }

    std::optional<Settings::Entry> parse(const RawValue& raw) {
        const Setting& setting = *raw.name->setting;
        std::string text = raw.name->negated ? negated(raw.text) : raw.text;
        auto value = parse_value(setting, raw.name->unit, text);
        if (!value) {
            read_.errors.push_back(fmt::format(
                "{} ({}): {}{}",
                setting.name,
                raw.origin.describe(),
                setting.secret ? "the value " : fmt::format("\"{}\" ", raw.text),
                value.error().message
            ));
            return std::nullopt;
        }
        const bool own_key = raw.name->unit != TimeUnit::none;
        const std::string& key = own_key ? raw.name->key : names_.get_own(setting).key;
        return Settings::Entry{setting, key, std::move(text), std::move(*value), raw.origin};
    }

    Settings::Entry fallback(const Setting& setting) {
        const Name& name = names_.get_own(setting);
        SettingValue value;
        if (!setting.fallback.empty()) {
            auto parsed = parse_value(setting, name.unit, setting.fallback);
            if (!parsed) {
                throw std::logic_error(setting.name + ": the default " + parsed.error().message);
            }
            value = std::move(*parsed);
        }
        return {setting, name.key, setting.fallback, std::move(value), {}};
    }

    const SettingsTable& table_;
    const Names& names_;
    SettingsRead& read_;
    std::vector<RawValue> raw_{};
};

std::optional<std::string> config_path(const Arguments& arguments, const SettingsSources& sources) {
    if (arguments.config_path) {
        return arguments.config_path;
    }
    const auto found = sources.environment.find("LLORCH_CONFIG");
    const bool set = found != sources.environment.end() && !found->second.empty();
    return set ? std::optional(found->second) : std::nullopt;
}

}  // namespace

SettingsRead load_settings(const SettingsTable& table, const SettingsSources& sources) {
    const Names names(table);
    SettingsRead read;
    Merge merge(table, names, read);
    Arguments arguments = read_arguments(names, sources.arguments);
    read.mode = arguments.mode;
    const auto path = config_path(arguments, sources);
    merge.take(std::move(arguments.findings));
    merge.take(read_environment(table, names, sources.environment));
    if (path) {
        if (const auto text = load_file(*path)) {
            YamlFindings yaml = read_yaml(table, names, *path, *text);
            read.sections = std::move(yaml.sections);
            merge.take(std::move(yaml.findings));
        } else {
            read.errors.push_back(text.error().message);
        }
    }
    merge.finish();
    return read;
}

SettingsSources process_sources(int argc, const char* const* argv, const char* const* environment) {
    SettingsSources sources;
    for (int i = 1; i < argc; ++i) {
        sources.arguments.emplace_back(argv[i]);
    }
    for (; *environment != nullptr; ++environment) {
        const std::string_view line = *environment;
        const std::size_t equals = line.find('=');
        if (equals != std::string_view::npos) {
            sources.environment.emplace(line.substr(0, equals), line.substr(equals + 1));
        }
    }
    return sources;
}

}  // namespace orch
