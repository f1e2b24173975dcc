#pragma once

#include "api/reload_report.hpp"
#include "base/settings.hpp"

namespace orch::daemon {

// The settings that a program goes by: those of its start, live ones as they were read last. Pure;
// one owner.
class SettingsInForce {
public:
    explicit SettingsInForce(SettingsRead read) : read_(std::move(read)) {}

    const Settings& settings() const { return read_.settings; }

    // What taking `next` would change, and what it cannot.
    api::ReloadReport compare(const SettingsRead& next) const;

    // Takes the live settings of `next`.
    void take(const SettingsRead& next);

private:
    SettingsRead read_;
};

}  // namespace orch::daemon
