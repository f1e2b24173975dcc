#pragma once

#include "base/clock.hpp"
#include "base/host_port.hpp"
#include "base/settings_table.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// Reads a program's settings: flag > environment > YAML file > default. All errors are found at
// once. Called at start-up and on reload by one thread; the result is a value.
//
//   auto read = load_settings(table, {arguments, environment});
//   if (beat >= timeout) read.errors.push_back("...");              // rules across settings
//   if (auto code = settings_exit(table, read, std::cout, std::cerr)) return *code;
namespace orch {

// Exit code for a command line or settings that are wrong.
inline constexpr int kExitUsage = 2;

// Where a value comes from.
struct Origin {
    enum class Source { fallback, file, environment, flag };

    Source source = Source::fallback;
    std::string place{};  // "/etc/x.yaml:12", "ORCHD_ADDR", "--addr"

    // "default", "file /etc/x.yaml:12", "environment ORCHD_ADDR", "flag --addr"
    std::string describe() const;
};

using SettingValue = std::variant<
    std::monostate,  // no value and no default
    std::string,     // text, path, url, choice
    bool,
    std::uint64_t,
    Duration,
    HostPort,
    std::vector<std::string>>;

// The values of all settings of a table. A getter takes the setting's name as the table has it;
// a name that is not there, or a kind that does not fit, is a bug and throws std::logic_error.
class Settings {
public:
    struct Entry {
        Setting setting;
        std::string key;   // the YAML key of the form it was given in
        std::string text;  // the value as text that the key takes
        SettingValue value;
        Origin origin;
    };

    explicit Settings(std::vector<Entry> entries = {}) : entries_(std::move(entries)) {}

    // Whether it was given by flag, environment or file.
    bool given(std::string_view name) const;
    const Entry& entry(std::string_view name) const;

    const std::vector<Entry>& entries() const { return entries_; }

    std::optional<std::string> find_text(std::string_view name) const;  // text, path, url, choice
    std::optional<bool> find_bool(std::string_view name) const;
    std::optional<std::uint64_t> find_number(std::string_view name) const;
    std::optional<Duration> find_duration(std::string_view name) const;
    std::optional<HostPort> find_address(std::string_view name) const;

    // Like find_, for settings that have a default; std::logic_error without a value.
    std::string get_text(std::string_view name) const;
    bool get_bool(std::string_view name) const;
    std::uint64_t get_number(std::string_view name) const;
    Duration get_duration(std::string_view name) const;
    HostPort get_address(std::string_view name) const;
    std::vector<std::string> get_list(std::string_view name) const;  // empty without a value

private:
    template <class T>
    std::optional<T> find(std::string_view name) const;
    template <class T>
    T get(std::string_view name) const;

    std::vector<Entry> entries_;
};

// A section of the file that its owner parses: load `file_text`, look at `key`, and lines are
// right.
struct SettingsSection {
    std::string key;
    std::string path;
    int line = 0;               // of the key, from 1
    std::string file_text;      // the whole file
    std::string redacted_yaml;  // the value alone, secrets hidden, for --print-config
};

enum class SettingsMode { run, check_config, print_config, version, help };

struct SettingsSources {
    std::vector<std::string> arguments;  // without the program's own name
    std::map<std::string, std::string> environment;
};

struct SettingsRead {
    SettingsMode mode = SettingsMode::run;
    Settings settings;
    std::vector<SettingsSection> sections{};
    std::vector<std::string> errors{};    // a sentence each; callers add theirs
    std::vector<std::string> warnings{};  // a sentence each, for the log
};

// Reads the file that --config or LLORCH_CONFIG names. A setting with an error has its default.
SettingsRead load_settings(const SettingsTable& table, const SettingsSources& sources);

// `environ` and argv as load_settings takes them.
SettingsSources process_sources(int argc, const char* const* argv, const char* const* environment);

// What is left to do before a program runs: prints help, version, the configuration or the errors
// and tells the exit code, 0 or kExitUsage; nothing when it shall run.
std::optional<int> settings_exit(
    const SettingsTable& table, const SettingsRead& read, std::ostream& out, std::ostream& err
);

// YAML that --config accepts, with unit and origin of each setting as a comment; secrets hidden.
std::string print_config(const SettingsRead& read);

// The text of --help.
std::string settings_help(const SettingsTable& table);

// Names of the settings whose values differ: what a reload would change.
std::vector<std::string> changed_settings(const Settings& before, const Settings& after);

}  // namespace orch
