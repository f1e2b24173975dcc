#include "node/app/node_config.hpp"
#include "node/lifecycle/pool_spec_yaml.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

// The pools that a node is told of at start.
namespace orch::node::app {
namespace {

namespace fs = std::filesystem;

// What the control plane takes from one node.
constexpr std::size_t kMostPools = 256;

bool readable(const std::string& path) {
    return access(path.c_str(), R_OK) == 0;
}

// Pools from several places, each of an id of its own.
class PoolList {
public:
    explicit PoolList(SettingsRead& read) : read_(read) {}

    void add(lifecycle::PoolSpec pool, const std::string& place) {
        const auto [earlier, added] = places_.emplace(pool.id, place);
        // What stands twice in one file has been told with its line.
        if (!added && earlier->second != place) {
            read_.errors.push_back(fmt::format(
                "{}: pool `{}` is there twice: {} makes one too",
                place,
                pool.id.str(),
                earlier->second
            ));
        }
        pools_.push_back(std::move(pool));
    }

    std::vector<lifecycle::PoolSpec> take() { return std::move(pools_); }

private:
    SettingsRead& read_;
    std::map<PoolId, std::string> places_;
    std::vector<lifecycle::PoolSpec> pools_;
};

void read_model(SettingsRead& read, PoolList& pools) {
    const auto model = read.settings.find_text("model");
    if (!model) {
        return;
    }
    if (!readable(*model)) {
        read.errors.push_back(fmt::format("--model: {}: no such file, or not readable", *model));
    }
    pools.add(lifecycle::single_model_pool(*model), "--model");
}

Result<std::vector<std::string>> load_file_names(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code failure;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        std::error_code ignored;
        if (entry->is_regular_file(ignored)) {
            names.push_back(entry->path().filename().string());
        }
    }
    if (failure) {
        return fail(Errc::not_found, fmt::format("--models: {}: {}", folder, failure.message()));
    }
    return names;
}

void read_models(SettingsRead& read, PoolList& pools) {
    const auto folder = read.settings.find_text("models");
    if (!folder) {
        return;
    }
    auto names = load_file_names(*folder);
    if (!names) {
        read.errors.push_back(std::move(names.error().message));
        return;
    }
    auto made = lifecycle::directory_pools(*folder, std::move(*names));
    if (made.empty()) {
        read.warnings.push_back(fmt::format("--models: {}: no GGUF file is in it", *folder));
    }
    if (made.size() > kMostPools) {
        read.errors.push_back(fmt::format(
            "--models: {}: {} models; a node has at most {} pools", *folder, made.size(), kMostPools
        ));
    }
    for (lifecycle::PoolSpec& pool : made) {
        pools.add(std::move(pool), "--models");
    }
}

}  // namespace

std::vector<lifecycle::PoolSpec> read_pools(SettingsRead& read) {
    PoolList pools(read);
    read_model(read, pools);
    read_models(read, pools);
    for (const SettingsSection& section : read.sections) {
        lifecycle::ParsedPools parsed =
            lifecycle::parse_pools(section.file_text, section.path, readable);
        for (Error& error : parsed.errors) {
            read.errors.push_back(std::move(error.message));
        }
        for (lifecycle::PoolSpec& pool : parsed.pools) {
            pools.add(std::move(pool), section.path);
        }
    }
    return pools.take();
}

}  // namespace orch::node::app
