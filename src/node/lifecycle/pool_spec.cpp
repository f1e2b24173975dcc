#include "node/lifecycle/pool_spec.hpp"

#include "api/http_address.hpp"
#include "node/lifecycle/engine_flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace orch::node::lifecycle {
namespace {

constexpr std::uint32_t kMostSlots = 1024;
constexpr std::uint32_t kMostReplicas = 64;
constexpr std::uint32_t kMostCtx = 16U << 20;
constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestId = 64;

class Checker {
public:
    explicit Checker(const PoolSpec& spec) : spec_(spec) {}

    std::vector<SpecProblem> run() {
        check_identity();
        check_sizes();
        spec_.external() ? check_external() : check_started();
        check_devices();
        check_flags();
        check_env();
        return std::move(problems_);
    }

private:
    void add(std::string key, std::string message) {
        problems_.push_back({std::move(key), std::move(message)});
    }

    void check_name(std::string key, std::string_view name) {
        const bool printable = std::ranges::none_of(name, [](char c) {
            return c == ',' || c == 0x7F || (c >= 0 && c < 0x20);
        });
        if (name.empty() || name.size() > kLongestName || !printable) {
            add(std::move(key),
                "must be 1 to 256 printable characters without a comma: it is what clients send as "
                "`model`");
        }
    }

    void check_identity() {
        if (!valid_id(spec_.id.str())) {
            add("id", "must match [A-Za-z0-9._-]{1,64}");
        }
        const bool unnamed_model = spec_.model.empty() && !spec_.external();
        if (!spec_.served_name.empty() || !unnamed_model) {
            check_name("served_name", spec_.served_name.str());
        }
        std::set<std::string_view> names{spec_.served_name.str()};
        for (std::size_t i = 0; i < spec_.aliases.size(); ++i) {
            const std::string key = fmt::format("aliases[{}]", i);
            check_name(key, spec_.aliases[i]);
            if (!names.insert(spec_.aliases[i]).second) {
                add(key, "repeats a name of this pool");
            }
        }
    }

    void check_range(std::string key, std::uint64_t value, std::uint64_t most) {
        if (value < 1 || value > most) {
            add(std::move(key), fmt::format("must be from 1 to {}", most));
        }
    }

    void check_sizes() {
        check_range("slots", spec_.slots, kMostSlots);
        check_range("replicas", spec_.replicas, kMostReplicas);
        if (spec_.ctx) {
            check_range("ctx", *spec_.ctx, kMostCtx);
        }
        const auto seconds = spec_.start_timeout.count();
        check_range(
            "start_timeout_secs", seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds), 86400
        );
    }

    void check_external() {
        if (const auto address = api::parse_http_address(*spec_.url, "url"); !address) {
            add("url", "must be http://HOST:PORT or https://HOST:PORT");
        }
        const auto refuse = [&](bool given, std::string key) {
            if (given) {
                add(std::move(key),
                    "has no effect beside url: an engine that already runs is not started");
            }
        };
        refuse(spec_.devices.has_value(), "devices");
        refuse(spec_.replicas != 1, "replicas");
        refuse(spec_.gpu_layers.has_value(), "gpu_layers");
        refuse(!spec_.tensor_split.empty(), "tensor_split");
        refuse(!spec_.flags.empty(), "flags");
        refuse(!spec_.env.empty(), "env");
        refuse(spec_.on_demand, "on_demand");
    }

    void check_started() {
        if (spec_.engine != EngineFamily::llamacpp) {
            add("url",
                fmt::format(
                    "is needed: an engine of family {} is not started by this daemon, only watched "
                    "where it already runs",
                    to_string(spec_.engine)
                ));
        }
        if (spec_.model.empty()) {
            add("model", "is needed: a GGUF file, or a name of the local store");
        }
    }

    static bool is_device(std::string_view text) {
        const bool index = !text.empty() && text.size() <= 3 &&
                           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
        return index || (text.starts_with("GPU-") && text.size() > 4);
    }

    void check_devices() {
        std::set<std::string_view> seen;
        const std::vector<std::string> devices = spec_.devices.value_or(std::vector<std::string>{});
        for (std::size_t i = 0; i < devices.size(); ++i) {
            const std::string key = fmt::format("devices[{}]", i);
            if (!is_device(devices[i])) {
                add(key,
                    fmt::format("'{}' is no GPU index (0) and no GPU UUID (GPU-...)", devices[i]));
            } else if (!seen.insert(devices[i]).second) {
                add(key, fmt::format("'{}' is named twice", devices[i]));
            }
        }
        const auto bad = [](double share) { return !std::isfinite(share) || share < 0; };
        if (std::ranges::any_of(spec_.tensor_split, bad)) {
            add("tensor_split", "shares must be numbers from 0 up");
        }
        if (spec_.devices && !spec_.tensor_split.empty() &&
            spec_.tensor_split.size() != spec_.devices->size()) {
            add("tensor_split",
                fmt::format(
                    "has {} shares for {} devices", spec_.tensor_split.size(), spec_.devices->size()
                ));
        }
    }

    void check_flags() {
        for (std::size_t i = 0; i < spec_.flags.size(); ++i) {
            const std::string key = fmt::format("flags[{}]", i);
            if (const auto reserved = reserved_flag(spec_.flags[i])) {
                add(key, fmt::format("'{}': {} is set by the product", spec_.flags[i], *reserved));
            } else if (spec_.flags[i].find('\0') != std::string::npos) {
                add(key, "must not contain a NUL character");
            }
        }
    }

    void check_env() {
        for (const auto& [name, value] : spec_.env) {
            const std::string key = "env." + name;
            const bool word = !name.empty() && std::ranges::all_of(name, [](char c) {
                return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                       (c >= 'a' && c <= 'z');
            });
            if (!word || (name[0] >= '0' && name[0] <= '9')) {
                add(key, "is no name of an environment variable");
            } else if (const auto reason = reserved_variable(name)) {
                add(key, *reason);
            } else if (name == "CUDA_VISIBLE_DEVICES" && spec_.devices) {
                add(key, "contradicts `devices`, which sets it");
            } else if (value.find('\0') != std::string::npos) {
                add(key, "must not contain a NUL character");
            }
        }
    }

    const PoolSpec& spec_;
    std::vector<SpecProblem> problems_;
};

std::string_view file_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view stem(std::string_view path) {
    const std::string_view name = file_name(path);
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

// "a-00002-of-00003.gguf"; part 1 stands for the model and is none of these.
bool is_later_part(std::string_view name) {
    const std::string_view base = stem(name);
    const std::size_t of = base.rfind("-of-");
    if (of == std::string_view::npos || of < 6) {
        return false;
    }
    const std::string_view part = base.substr(of - 5, 5);
    const bool digits = std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    return digits && part != "00001";
}

bool is_model(std::string_view name) {
    return name.ends_with(".gguf") && name.size() > 5 && !name.starts_with("mmproj") &&
           !is_later_part(name);
}

// A valid id nobody in `taken` has, as close to the text as ids allow.
PoolId make_pool_id(std::string_view text, std::set<std::string>& taken) {
    std::string base(text.substr(0, kLongestId));
    std::ranges::replace_if(base, [](char c) { return !valid_id(std::string_view(&c, 1)); }, '-');
    std::string id = base;
    for (int n = 2; !taken.insert(id).second; ++n) {
        const std::string suffix = fmt::format("-{}", n);
        id = base.substr(0, kLongestId - suffix.size()) + suffix;
    }
    return PoolId(id);
}

}  // namespace

std::vector<SpecProblem> check_pool_spec(const PoolSpec& spec) {
    return Checker(spec).run();
}

PoolSpec with_defaults(PoolSpec spec) {
    if (spec.served_name.empty()) {
        spec.served_name = ServedName(std::string(stem(spec.model)));
    }
    return spec;
}

std::optional<std::string> model_file(std::string_view model) {
    if (model.starts_with("file:")) {
        std::string_view path = model.substr(5);
        if (path.starts_with("//")) {
            path.remove_prefix(std::min(path.find('/', 2), path.size()));
        }
        return std::string(path);
    }
    const bool looks_like_path = model.starts_with('/') || model.starts_with("./") ||
                                 model.starts_with("../") || model.ends_with(".gguf");
    return looks_like_path ? std::optional(std::string(model)) : std::nullopt;
}

PoolSpec single_model_pool(std::string file) {
    PoolSpec spec;
    spec.id = PoolId("default");
    spec.model = std::move(file);
    return with_defaults(std::move(spec));
}

std::vector<PoolSpec> directory_pools(
    std::string_view directory, std::vector<std::string> file_names
) {
    std::ranges::sort(file_names);
    std::set<std::string> taken;
    std::vector<PoolSpec> pools;
    for (const std::string& name : file_names) {
        if (!is_model(name)) {
            continue;
        }
        PoolSpec spec;
        spec.id = make_pool_id(stem(name), taken);
        spec.model = fmt::format("{}{}{}", directory, directory.ends_with('/') ? "" : "/", name);
        spec.on_demand = true;
        pools.push_back(with_defaults(std::move(spec)));
    }
    return pools;
}

}  // namespace orch::node::lifecycle
