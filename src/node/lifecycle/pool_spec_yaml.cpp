#include "node/lifecycle/pool_spec_yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <charconv>
#include <map>
#include <set>
#include <utility>

namespace orch::node::lifecycle {
namespace {

int line_of(const YAML::Node& node) {
    return node.Mark().line + 1;
}

// Where a value stands, and the errors found so far.
class Report {
public:
    Report(std::string_view file, std::vector<Error>& errors) : file_(file), errors_(errors) {}

    void add(int line, std::string_view path, std::string_view message) {
        errors_.push_back(
            {Errc::invalid_params, fmt::format("{}:{}: {}: {}", file_, line, path, message), {}}
        );
    }

    std::size_t count() const { return errors_.size(); }

    void add_syntax(int line, std::string_view message) {
        errors_.push_back({Errc::invalid_params, fmt::format("{}:{}: {}", file_, line, message), {}}
        );
    }

private:
    std::string_view file_;
    std::vector<Error>& errors_;
};

// One value of a pool: its node, its path and where to complain.
struct Value {
    const YAML::Node& node;
    std::string path;
    Report& report;

    void refuse(std::string_view message) const { report.add(line_of(node), path, message); }
};

bool read_text(const Value& value, std::string& into) {
    if (!value.node.IsScalar()) {
        value.refuse("must be a text");
        return false;
    }
    into = value.node.Scalar();
    return true;
}

template <class T>
bool read_number(const Value& value, T& into) {
    const std::string& text = value.node.IsScalar() ? value.node.Scalar() : std::string();
    const char* const end = text.data() + text.size();
    T number{};
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || error != std::errc{} || stop != end) {
        value.refuse(fmt::format("'{}' is no number that fits", text));
        return false;
    }
    into = number;
    return true;
}

void read_bool(const Value& value, bool& into) {
    const std::string text = value.node.IsScalar() ? value.node.Scalar() : std::string();
    into = text == "true";
    if (!into && text != "false") {
        value.refuse(fmt::format("'{}' is neither true nor false", text));
    }
}

template <class Item, class ReadItem>
void read_list(const Value& value, std::vector<Item>& into, ReadItem read_item) {
    if (!value.node.IsSequence()) {
        value.refuse("must be a list");
        return;
    }
    for (std::size_t i = 0; i < value.node.size(); ++i) {
        const YAML::Node item = value.node[i];
        Item read{};
        if (read_item(Value{item, fmt::format("{}[{}]", value.path, i), value.report}, read)) {
            into.push_back(std::move(read));
        }
    }
}

void read_texts(const Value& value, std::vector<std::string>& into) {
    read_list(value, into, read_text);
}

void read_map(const Value& value, std::map<std::string, std::string>& into) {
    if (!value.node.IsMap()) {
        value.refuse("must be a map of names to texts");
        return;
    }
    for (const auto& entry : value.node) {
        const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : std::string();
        const Value inner{entry.second, value.path + "." + name, value.report};
        std::string text;
        if (!read_text(inner, text)) {
            continue;
        }
        if (!into.emplace(name, std::move(text)).second) {
            value.report.add(line_of(entry.first), inner.path, "is given twice");
        }
    }
}

template <class Enum>
void read_choice(
    const Value& value,
    Enum& into,
    std::optional<Enum> (*from)(std::string_view),
    std::string_view choices
) {
    std::string text;
    if (!read_text(value, text)) {
        return;
    }
    if (const auto chosen = from(text)) {
        into = *chosen;
    } else {
        value.refuse(fmt::format("'{}' is none of {}", text, choices));
    }
}

void read_gpu_layers(const Value& value, PoolSpec& spec) {
    if (value.node.IsScalar() && value.node.Scalar() == "all") {
        spec.gpu_layers.reset();
        return;
    }
    std::uint32_t layers = 0;
    if (read_number(value, layers)) {
        spec.gpu_layers = layers;
    }
}

void read_start_timeout(const Value& value, PoolSpec& spec) {
    std::uint32_t seconds = 0;
    if (read_number(value, seconds)) {
        spec.start_timeout = std::chrono::seconds(seconds);
    }
}

using ReadKey = void (*)(const Value&, PoolSpec&);

constexpr std::array<std::pair<std::string_view, ReadKey>, 18> kKeys{{
    {"id", [](const Value& v, PoolSpec& s) { read_text(v, s.id.value); }},
    {"engine",
     [](const Value& v, PoolSpec& s) {
         read_choice(v, s.engine, engine_family_from, "llamacpp, vllm, tgi, triton, openai");
     }},
    {"model", [](const Value& v, PoolSpec& s) { read_text(v, s.model); }},
    {"served_name", [](const Value& v, PoolSpec& s) { read_text(v, s.served_name.value); }},
    {"aliases", [](const Value& v, PoolSpec& s) { read_texts(v, s.aliases); }},
    {"kind",
     [](const Value& v, PoolSpec& s) {
         read_choice(v, s.kind, model_kind_from, "chat, embedding, rerank");
     }},
    {"devices", [](const Value& v, PoolSpec& s) { read_texts(v, s.devices.emplace()); }},
    {"slots", [](const Value& v, PoolSpec& s) { read_number(v, s.slots); }},
    {"ctx", [](const Value& v, PoolSpec& s) { read_number(v, s.ctx.emplace()); }},
    {"replicas", [](const Value& v, PoolSpec& s) { read_number(v, s.replicas); }},
    {"gpu_layers", read_gpu_layers},
    {"tensor_split",
     [](const Value& v, PoolSpec& s) { read_list(v, s.tensor_split, read_number<double>); }},
    {"flags", [](const Value& v, PoolSpec& s) { read_texts(v, s.flags); }},
    {"env", [](const Value& v, PoolSpec& s) { read_map(v, s.env); }},
    {"labels", [](const Value& v, PoolSpec& s) { read_map(v, s.labels); }},
    {"start_timeout_secs", read_start_timeout},
    {"url", [](const Value& v, PoolSpec& s) { read_text(v, s.url.emplace()); }},
    {"on_demand", [](const Value& v, PoolSpec& s) { read_bool(v, s.on_demand); }},
}};

ReadKey find_key(std::string_view name) {
    for (const auto& [key, read] : kKeys) {
        if (key == name) {
            return read;
        }
    }
    return nullptr;
}

// One element of the list.
class PoolReader {
public:
    PoolReader(const YAML::Node& node, std::string path, Report& report)
        : node_(node), path_(std::move(path)), report_(report) {}

    PoolSpec read(const FileExists& exists) {
        PoolSpec spec;
        for (const auto& entry : node_) {
            read_entry(entry.first, entry.second, spec);
        }
        spec = with_defaults(std::move(spec));
        check(spec, exists);
        return spec;
    }

    int line(const std::string& key) const {
        const auto found = lines_.find(root_of(key));
        return found == lines_.end() ? line_of(node_) : found->second;
    }

private:
    static std::string root_of(const std::string& key) {
        return key.substr(0, key.find_first_of("[."));
    }

    void read_entry(const YAML::Node& key, const YAML::Node& value, PoolSpec& spec) {
        const std::string name = key.IsScalar() ? key.Scalar() : std::string();
        const std::string path = path_ + "." + name;
        const ReadKey read = find_key(name);
        if (read == nullptr) {
            report_.add(line_of(key), path, "is no setting of a pool");
        } else if (!lines_.emplace(name, line_of(key)).second) {
            report_.add(line_of(key), path, "is given twice");
        } else {
            read_value(read, Value{value, path, report_}, name, spec);
        }
    }

    void read_value(ReadKey read, const Value& value, const std::string& name, PoolSpec& spec) {
        const std::size_t before = report_.count();
        if (value.node.IsNull()) {
            // An absent value stands where the next key does.
            report_.add(line(name), value.path, "has no value");
        } else {
            read(value, spec);
        }
        if (report_.count() != before) {
            unread_.insert(name);
        }
    }

    void check(const PoolSpec& spec, const FileExists& exists) {
        for (const SpecProblem& problem : check_pool_spec(spec)) {
            // What could not be read has been reported, and holds no value to judge.
            if (unread_.contains(root_of(problem.key))) {
                continue;
            }
            report_.add(line(problem.key), path_ + "." + problem.key, problem.message);
        }
        const auto file = model_file(spec.model);
        if (file && !spec.external() && !exists(*file)) {
            report_.add(line("model"), path_ + ".model", fmt::format("no file {}", *file));
        }
    }

    const YAML::Node& node_;
    std::string path_;
    Report& report_;
    std::map<std::string, int> lines_;
    std::set<std::string> unread_;
};

void read_pools(
    const YAML::Node& list, Report& report, const FileExists& exists, ParsedPools& into
) {
    if (list.IsNull()) {
        return;
    }
    if (!list.IsSequence()) {
        report.add(line_of(list), "pools", "must be a list of pools");
        return;
    }
    std::set<std::string> ids;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const YAML::Node node = list[i];
        const std::string path = fmt::format("pools[{}]", i);
        if (!node.IsMap()) {
            report.add(line_of(node), path, "must be a map of settings");
            continue;
        }
        PoolReader reader(node, path, report);
        PoolSpec spec = reader.read(exists);
        if (!spec.id.empty() && !ids.insert(spec.id.str()).second) {
            report.add(
                reader.line("id"),
                path + ".id",
                fmt::format("another pool has id {}", spec.id.str())
            );
        }
        into.pools.push_back(std::move(spec));
    }
}

void read_document(
    const YAML::Node& root, Report& report, const FileExists& exists, ParsedPools& into
) {
    if (!root.IsMap()) {
        if (root.IsDefined() && !root.IsNull()) {
            report.add_syntax(line_of(root), "must be a map of settings");
        }
        return;
    }
    bool seen = false;
    for (const auto& entry : root) {
        if (!entry.first.IsScalar() || entry.first.Scalar() != "pools") {
            continue;
        }
        if (std::exchange(seen, true)) {
            report.add(line_of(entry.first), "pools", "is given twice");
        } else {
            read_pools(entry.second, report, exists, into);
        }
    }
}

}  // namespace

ParsedPools parse_pools(std::string_view yaml, std::string_view file, const FileExists& exists) {
    ParsedPools parsed;
    Report report(file, parsed.errors);
    try {
        read_document(YAML::Load(std::string(yaml)), report, exists, parsed);
    } catch (const YAML::Exception& error) {
        report.add_syntax(error.mark.line + 1, error.msg);
    }
    return parsed;
}

}  // namespace orch::node::lifecycle
