#include "base/settings_arguments.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace orch::settings_detail {
namespace {

// A wrong environment name is taken for a slip of the pen up to so many edits.
constexpr std::size_t kNearMiss = 2;

constexpr std::string_view kConfigEnv = "LLORCH_CONFIG";

bool is_boolean_text(std::string_view text) {
    return text == "true" || text == "false" || text == "1" || text == "0";
}

class ArgumentReader {
public:
    ArgumentReader(const Names& names, const std::vector<std::string>& arguments)
        : names_(names), arguments_(arguments) {}

    Arguments read() {
        while (next_ < arguments_.size()) {
            read_one(arguments_[next_++]);
        }
        // The last of repeated flags is the strongest, and values go strongest first.
        std::ranges::reverse(result_.findings.values);
        return std::move(result_);
    }

private:
    void read_one(const std::string& argument) {
        const std::size_t equals = argument.find('=');
        const std::string flag = argument.substr(0, equals);
        std::optional<std::string> attached;
        if (equals != std::string::npos) {
            attached = argument.substr(equals + 1);
        }
        if (!flag.starts_with('-') || flag == "-" || flag == "--") {
            error(fmt::format("{}: unexpected argument, only flags are understood", argument));
        } else if (const auto mode = mode_of(flag)) {
            result_.mode = std::max(result_.mode, *mode);
        } else if (flag == "--config") {
            result_.config_path = value_of(flag, std::move(attached));
        } else if (const Name* const name = flag.starts_with("--") ? find(flag) : nullptr) {
            take(*name, flag, std::move(attached));
        } else {
            unknown(flag);
        }
    }

    static std::optional<SettingsMode> mode_of(std::string_view flag) {
        if (flag == "--help" || flag == "-h") {
            return SettingsMode::help;
        }
        if (flag == "--version" || flag == "-V") {
            return SettingsMode::version;
        }
        if (flag == "--print-config") {
            return SettingsMode::print_config;
        }
        return flag == "--check-config" ? std::optional(SettingsMode::check_config) : std::nullopt;
    }

    const Name* find(std::string_view flag) const { return names_.find_key(flag.substr(2)); }

    void take(const Name& name, const std::string& flag, std::optional<std::string> attached) {
        const bool boolean = name.setting->kind == SettingKind::boolean;
        const bool followed = next_ < arguments_.size() && is_boolean_text(arguments_[next_]);
        if (boolean && !attached && !followed) {
            attached = "true";
        }
        if (auto text = value_of(flag, std::move(attached))) {
            result_.findings.values.push_back(
                {&name, std::move(*text), {Origin::Source::flag, flag}}
            );
        }
    }

    std::optional<std::string> value_of(
        const std::string& flag, std::optional<std::string> attached
    ) {
        if (!attached && next_ < arguments_.size() && !arguments_[next_].starts_with("--")) {
            attached = arguments_[next_++];
        }
        if (!attached || attached->empty()) {
            error(fmt::format("{} needs a value", flag));
            return std::nullopt;
        }
        return attached;
    }

    void unknown(const std::string& flag) {
        std::vector<std::string> flags{
            "--config", "--check-config", "--print-config", "--help", "--version"
        };
        for (const std::string& key : names_.keys()) {
            flags.push_back(flag_of(key));
        }
        error(fmt::format("{} is not a flag; the nearest is {}", flag, nearest(flag, flags)));
    }

    void error(std::string sentence) { result_.findings.errors.push_back(std::move(sentence)); }

    const Names& names_;
    const std::vector<std::string>& arguments_;
    std::size_t next_ = 0;
    Arguments result_{};
};

void warn_near_miss(
    const SettingsTable& table, const Names& names, const std::string& env, Findings& findings
) {
    const auto has_prefix = [&](const std::string& prefix) { return env.starts_with(prefix); };
    if (env == kConfigEnv || !std::ranges::any_of(table.prefixes, has_prefix)) {
        return;
    }
    const std::string known = nearest(env, names.envs());
    if (edit_distance(env, known) <= kNearMiss) {
        findings.warnings.push_back(
            fmt::format("{} is not a setting and is ignored; did you mean {}?", env, known)
        );
    }
}

}  // namespace

Arguments read_arguments(const Names& names, const std::vector<std::string>& arguments) {
    return ArgumentReader(names, arguments).read();
}

Findings read_environment(
    const SettingsTable& table,
    const Names& names,
    const std::map<std::string, std::string>& environment
) {
    Findings findings;
    for (const Name& name : names.all()) {
        const auto found = environment.find(name.env);
        if (!name.env.empty() && found != environment.end() && !found->second.empty()) {
            findings.values.push_back(
                {&name, found->second, {Origin::Source::environment, name.env}}
            );
        }
    }
    for (const auto& [env, value] : environment) {
        if (names.find_env(env) == nullptr) {
            warn_near_miss(table, names, env, findings);
        }
    }
    return findings;
}

}  // namespace orch::settings_detail
