#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

// The table of a program's settings: what may be set, where it may come from and what it may be.
// Plain data; the reader, --help and --print-config all work from it.
namespace orch {

enum class SettingKind {
    text,      // anything
    path,      // a file or folder
    boolean,   // true, false, 1 or 0
    number,    // a whole number from `low` to `high`
    duration,  // the name ends in _SECS or _MS; each form is accepted, not both at once
    address,   // HOST:PORT
    url,       // http:// or https://, host, optional port and path
    url_list,  // comma separated, in YAML also a sequence
    list,      // comma separated, in YAML also a sequence
    choice,    // one of `choices`
};

// Another name of a setting.
struct SettingAlias {
    std::string name;
    bool negated = false;     // a boolean that says the opposite
    bool deprecated = false;  // accepted with a warning
};

// `name` is the environment name. Flag and YAML key are that name without the program's prefix in
// lower case: ORCHESTRATORD_NODE_TIMEOUT_SECS, --node-timeout-secs, node_timeout_secs. A name in
// lower case has no environment form: "model" is --model and `model:`.
struct Setting {
    std::string name;
    SettingKind kind = SettingKind::text;
    std::string fallback{};  // the default as text; empty = none
    std::string help{};      // one sentence
    std::vector<SettingAlias> aliases{};
    std::vector<std::string> choices{};
    std::uint64_t low = 0;
    std::uint64_t high = std::numeric_limits<std::uint64_t>::max();
    bool zero_allowed = false;    // durations: 0 beside 1 s (10 ms) to 1 day
    std::string unit{};           // of a number, for people: "requests"
    std::string fallback_note{};  // how the default is found, where it is no constant
    bool secret = false;          // never shown
    bool live = false;            // a reload may change it
};

// A top-level YAML key whose value its owner parses.
struct SectionSpec {
    std::string key;
    std::string help;
    std::vector<std::string> redacted_keys{
    };  // mapping keys, at any depth, whose values are not shown
};

struct SettingsTable {
    std::string program;  // "orchestratord"
    std::string version;
    std::string summary;  // one sentence for --help
    std::vector<std::string> prefixes{
    };  // of environment names: "ORCHESTRATORD_", "ORCHD_", "LLORCH_"
    std::vector<Setting> settings{};
    std::vector<SectionSpec> sections{};
};

}  // namespace orch
