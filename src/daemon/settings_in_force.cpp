#include "daemon/settings_in_force.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace orch::daemon {
namespace {

// A section stands in the middle of a file whose other lines may change: its value alone counts.
bool same_section(const std::vector<SettingsSection>& sections, const SettingsSection& section) {
    return std::ranges::any_of(sections, [&section](const SettingsSection& other) {
        return other.key == section.key && other.redacted_yaml == section.redacted_yaml;
    });
}

}  // namespace

api::ReloadReport SettingsInForce::compare(const SettingsRead& next) const {
    api::ReloadReport report;
    for (std::string& name : changed_settings(read_.settings, next.settings)) {
        const bool live = next.settings.entry(name).setting.live;
        (live ? report.changed : report.needs_restart).push_back(std::move(name));
    }
    for (const auto& [some, others] :
         {std::pair(&next.sections, &read_.sections), std::pair(&read_.sections, &next.sections)}) {
        for (const SettingsSection& section : *some) {
            const bool told = std::ranges::count(report.needs_restart, section.key) != 0;
            if (!told && !same_section(*others, section)) {
                report.needs_restart.push_back(section.key);
            }
        }
    }
    return report;
}

void SettingsInForce::take(const SettingsRead& next) {
    std::vector<Settings::Entry> entries;
    for (const Settings::Entry& entry : read_.settings.entries()) {
        const std::string& name = entry.setting.name;
        entries.push_back(entry.setting.live ? next.settings.entry(name) : entry);
    }
    read_.settings = Settings(std::move(entries));
}

}  // namespace orch::daemon
