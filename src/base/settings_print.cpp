#include "base/settings.hpp"
#include "base/settings_names.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

namespace orch {
namespace {

using namespace settings_detail;

std::string yaml_quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned>(c));
        } else {
            out.push_back(c);
        }
    }
    out.push_back('"');
    return out;
}

std::string unit_of(const Setting& setting, std::string_view key) {
    switch (setting.kind) {
        case SettingKind::duration:
            return key.ends_with("_secs") ? "seconds" : "milliseconds";
        case SettingKind::number:
            return setting.unit;
        case SettingKind::address:
            return "host:port";
        default:
            return {};
    }
}

std::string yaml_value(const Settings::Entry& entry) {
    switch (entry.setting.kind) {
        case SettingKind::boolean:
        case SettingKind::number:
        case SettingKind::duration:
            return entry.text;
        case SettingKind::list:
        case SettingKind::url_list: {
            std::vector<std::string> parts;
            for (const std::string& part : std::get<std::vector<std::string>>(entry.value)) {
                parts.push_back(yaml_quoted(part));
            }
            return fmt::format("[{}]", fmt::join(parts, ", "));
        }
        default:
            return yaml_quoted(entry.text);
    }
}

std::string config_entry(const Settings::Entry& entry) {
    const std::string unit = unit_of(entry.setting, entry.key);
    const bool absent = std::holds_alternative<std::monostate>(entry.value);
    std::string text = fmt::format(
        "# {}{}; {}\n",
        entry.setting.name,
        unit.empty() ? "" : fmt::format(" [{}]", unit),
        absent && !entry.setting.fallback_note.empty()
            ? fmt::format("default: {}", entry.setting.fallback_note)
            : entry.origin.describe()
    );
    if (absent) {
        text += fmt::format("# {}:\n", entry.key);
    } else if (entry.setting.secret) {
        text += fmt::format("# {}: (set, not shown)\n", entry.key);
    } else {
        text += fmt::format("{}: {}\n", entry.key, yaml_value(entry));
    }
    return text;
}

std::string config_section(const SettingsSection& section) {
    std::string text = fmt::format("# file {}:{}\n{}:\n", section.path, section.line, section.key);
    for (const std::string_view line : lines_of(section.redacted_yaml)) {
        text += fmt::format("  {}\n", line);
    }
    return text;
}

std::string_view argument_of(const Setting& setting, std::string_view key) {
    switch (setting.kind) {
        case SettingKind::text:
            return " TEXT";
        case SettingKind::path:
            return " PATH";
        case SettingKind::boolean:
            return "[=true|false]";
        case SettingKind::number:
            return " NUMBER";
        case SettingKind::duration:
            return key.ends_with("_secs") ? " SECONDS" : " MILLISECONDS";
        case SettingKind::address:
            return " HOST:PORT";
        case SettingKind::url:
            return " URL";
        case SettingKind::url_list:
            return " URL,...";
        case SettingKind::list:
            return " TEXT,...";
        case SettingKind::choice:
            return " CHOICE";
    }
    return {};
}

// "(ORCHESTRATORD_NODE_TIMEOUT_SECS; 1 to 10 requests; default 30; live)"
std::string facts_of(const Setting& setting, const Name& name) {
    std::vector<std::string> facts;
    if (!name.env.empty()) {
        facts.push_back(name.env);
    }
    if (!setting.choices.empty()) {
        facts.push_back(fmt::format("{}", fmt::join(setting.choices, " | ")));
    }
    if (!setting.fallback_note.empty()) {
        facts.push_back("default: " + setting.fallback_note);
    } else if (!setting.fallback.empty()) {
        facts.push_back(fmt::format("default {} {}", setting.fallback, unit_of(setting, name.key)));
        facts.back() = std::string(trimmed(facts.back()));
    }
    if (setting.live) {
        facts.emplace_back("live");
    }
    return facts.empty() ? std::string{} : fmt::format(" ({})", fmt::join(facts, "; "));
}

void print_all(
    const SettingsTable& table, const std::vector<std::string>& sentences, std::ostream& out
) {
    for (const std::string& sentence : sentences) {
        out << table.program << ": " << sentence << '\n';
    }
}

}  // namespace

std::string print_config(const SettingsRead& read) {
    std::string text;
    for (const Settings::Entry& entry : read.settings.entries()) {
        text += config_entry(entry);
    }
    for (const SettingsSection& section : read.sections) {
        text += config_section(section);
    }
    return text;
}

std::string settings_help(const SettingsTable& table) {
    std::string text = fmt::format(
        "Usage: {} [FLAG...]\n\n{}\n\n"
        "A flag beats the environment, which beats the file of --config, which beats the default.\n"
        "\n"
        "  --config PATH\n      YAML file of settings (LLORCH_CONFIG).\n"
        "  --check-config\n      Check all settings, start nothing.\n"
        "  --print-config\n      Print the settings that are in force as YAML, with their origin.\n"
        "  --version\n      Print the version.\n"
        "  --help\n      Print this.\n",
        table.program,
        table.summary
    );
    const Names names(table);
    for (const Setting& setting : table.settings) {
        const Name& name = names.get_own(setting);
        text += fmt::format(
            "  {}{}\n      {}{}\n",
            flag_of(name.key),
            argument_of(setting, name.key),
            setting.help,
            facts_of(setting, name)
        );
    }
    for (const SectionSpec& section : table.sections) {
        text += fmt::format("  {}: (in the file only)\n      {}\n", section.key, section.help);
    }
    return text;
}

std::optional<int> settings_exit(
    const SettingsTable& table, const SettingsRead& read, std::ostream& out, std::ostream& err
) {
    if (read.mode == SettingsMode::help) {
        out << settings_help(table);
        return 0;
    }
    if (read.mode == SettingsMode::version) {
        out << table.program << ' ' << table.version << '\n';
        return 0;
    }
    if (!read.errors.empty()) {
        print_all(table, read.errors, err);
        return kExitUsage;
    }
    if (read.mode == SettingsMode::run) {
        return std::nullopt;
    }
    print_all(table, read.warnings, err);
    if (read.mode == SettingsMode::print_config) {
        out << print_config(read);
    }
    return 0;
}

}  // namespace orch
