#include "base/settings_yaml.hpp"

#include "base/text.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

namespace orch::settings_detail {
namespace {

constexpr const char* kHidden = "(hidden)";

void hide(YAML::Node node) {
    if (node.IsScalar()) {
        node = kHidden;
    } else if (node.IsSequence()) {
        for (auto element : node) {
            hide(element);
        }
    } else if (node.IsMap()) {
        for (auto entry : node) {
            hide(entry.second);
        }
    }
}

void redact(YAML::Node node, const std::vector<std::string>& keys) {
    if (node.IsSequence()) {
        for (auto element : node) {
            redact(element, keys);
        }
    } else if (node.IsMap()) {
        for (auto entry : node) {
            const bool secret = entry.first.IsScalar() &&
                                std::ranges::find(keys, entry.first.Scalar()) != keys.end();
            secret ? hide(entry.second) : redact(entry.second, keys);
        }
    }
}

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 100'000;

// An anchor may refer to itself, or to others that multiply: whoever walks the tree would never
// end.
bool walkable(const YAML::Node& node, int depth, std::size_t& nodes) {
    if (depth > kMaxDepth || ++nodes > kMaxNodes) {
        return false;
    }
    for (const auto& entry : node) {
        const bool good = node.IsMap() ? walkable(entry.first, depth + 1, nodes) &&
                                             walkable(entry.second, depth + 1, nodes)
                                       : walkable(entry, depth + 1, nodes);
        if (!good) {
            return false;
        }
    }
    return true;
}

class YamlReader {
public:
    YamlReader(
        const SettingsTable& table,
        const Names& names,
        const std::string& path,
        const std::string& file_text
    )
        : table_(table), names_(names), path_(path), file_text_(file_text) {}

    YamlFindings read() {
        try {
            const auto documents = YAML::LoadAll(file_text_);
            if (documents.size() > 1) {
                error(fmt::format("{}: holds more than one YAML document", path_));
            } else if (!documents.empty()) {
                read_document(documents.front());
            }
        } catch (const YAML::Exception& problem) {
            const std::string where = problem.mark.is_null() ? path_ : place(problem.mark);
            error(fmt::format("{}: not YAML: {}", where, problem.msg));
        }
        return std::move(result_);
    }

private:
    void read_document(const YAML::Node& root) {
        if (root.IsNull()) {
            return;
        }
        if (!root.IsMap()) {
            error(fmt::format("{}: must be a mapping of settings", path_));
            return;
        }
        for (const auto& entry : root) {
            read_entry(entry.first, entry.second);
        }
    }

    void read_entry(const YAML::Node& key_node, const YAML::Node& value) {
        const std::string where = place(key_node.Mark());
        if (!key_node.IsScalar()) {
            error(fmt::format("{}: a key must be a word", where));
            return;
        }
        const std::string& key = key_node.Scalar();
        const auto section = std::ranges::find(table_.sections, key, &SectionSpec::key);
        const Name* const name = names_.find_key(key);
        if (section == table_.sections.end() && name == nullptr) {
            unknown(where, key);
        } else if (repeated(where, key, name)) {
            return;
        } else if (section != table_.sections.end()) {
            take_section(*section, key_node, value);
        } else {
            take(*name, where, key, value);
        }
    }

    // Two names of one setting in one file contradict each other as much as one name twice; the two
    // units of a duration are told apart by the merge.
    bool repeated(const std::string& where, const std::string& key, const Name* name) {
        const auto identity =
            name == nullptr ? std::pair<std::string, TimeUnit>{key, TimeUnit::none}
                            : std::pair<std::string, TimeUnit>{name->setting->name, name->unit};
        const auto [first, fresh] = seen_.emplace(identity, where);
        if (!fresh) {
            error(fmt::format("{}: {} is set again (first at {})", where, key, first->second));
        }
        return !fresh;
    }

    void take(
        const Name& name, const std::string& where, const std::string& key, const YAML::Node& value
    ) {
        const auto text = text_of(name, value);
        if (!text) {
            error(fmt::format("{}: {} must be {}", where, key, shape_of(*name.setting)));
        } else if (!text->empty()) {
            result_.findings.values.push_back({&name, *text, {Origin::Source::file, where}});
        }
    }

    static bool takes_list(const Setting& setting) {
        return setting.kind == SettingKind::list || setting.kind == SettingKind::url_list;
    }

    static std::string_view shape_of(const Setting& setting) {
        return takes_list(setting) ? "one value or a sequence of values" : "one value";
    }

    static std::optional<std::string> text_of(const Name& name, const YAML::Node& value) {
        if (value.IsNull()) {
            return std::string{};
        }
        if (value.IsScalar()) {
            return value.Scalar();
        }
        if (!value.IsSequence() || !takes_list(*name.setting)) {
            return std::nullopt;
        }
        std::vector<std::string> parts;
        for (const auto& element : value) {
            if (!element.IsScalar()) {
                return std::nullopt;
            }
            parts.push_back(element.Scalar());
        }
        return fmt::format("{}", fmt::join(parts, ","));
    }

    void take_section(const SectionSpec& spec, const YAML::Node& key, const YAML::Node& value) {
        std::size_t nodes = 0;
        if (!walkable(value, 0, nodes)) {
            error(fmt::format(
                "{}: {} is too deep, too large or refers to itself", place(key.Mark()), spec.key
            ));
            return;
        }
        YAML::Node shown = YAML::Clone(value);
        redact(shown, spec.redacted_keys);
        result_.sections.push_back({
            .key = spec.key,
            .path = path_,
            .line = key.Mark().line + 1,
            .file_text = file_text_,
            .redacted_yaml = YAML::Dump(shown),
        });
    }

    void unknown(const std::string& where, const std::string& key) {
        std::vector<std::string> keys = names_.keys();
        for (const SectionSpec& section : table_.sections) {
            keys.push_back(section.key);
        }
        error(fmt::format(
            "{}: {} is not a setting; the nearest is {}", where, key, nearest(key, keys)
        ));
    }

    std::string place(const YAML::Mark& mark) const {
        return fmt::format("{}:{}", path_, mark.line + 1);
    }

    void error(std::string sentence) { result_.findings.errors.push_back(std::move(sentence)); }

    const SettingsTable& table_;
    const Names& names_;
    const std::string& path_;
    const std::string& file_text_;
    std::map<std::pair<std::string, TimeUnit>, std::string> seen_{};
    YamlFindings result_{};
};

}  // namespace

YamlFindings read_yaml(
    const SettingsTable& table,
    const Names& names,
    const std::string& path,
    const std::string& file_text
) {
    return YamlReader(table, names, path, file_text).read();
}

}  // namespace orch::settings_detail
