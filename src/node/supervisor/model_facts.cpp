#include "node/supervisor/model_facts.hpp"

#include "gguf/split_file.hpp"
#include "node/lifecycle/pool_spec.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <span>
#include <system_error>
#include <vector>

namespace orch::node::supervisor {
namespace {

namespace fs = std::filesystem;

bool is_file(const std::string& path) {
    std::error_code failure;
    return fs::is_regular_file(path, failure);
}

Result<std::string> find_model(std::string_view model, const fs::path& model_dir) {
    if (const auto path = lifecycle::model_file(model)) {
        if (is_file(*path)) {
            return *path;
        }
        return fail(Errc::not_found, fmt::format("model {}: no such file", *path));
    }
    const std::string path = (model_dir / model).string();
    for (const std::string& candidate : {path, path + ".gguf"}) {
        if (is_file(candidate)) {
            return candidate;
        }
    }
    return fail(
        Errc::not_found, fmt::format("model {}: no such file in {}", model, model_dir.string())
    );
}

// A file that is no model is the engine's to complain about: it has the better words.
gguf::Header load_header(const std::string& path) {
    std::vector<char> bytes(gguf::kHeaderBytes);
    std::ifstream file(path, std::ios::binary);
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const std::span<const char> read(bytes.data(), static_cast<std::size_t>(file.gcount()));
    return gguf::read_header(std::as_bytes(read)).value_or(gguf::Header{});
}

Bytes load_size(const std::string& path) {
    Bytes bytes = 0;
    for (const std::string& part : gguf::files_of_model(path)) {
        bytes += load_file_stamp(part).bytes;
    }
    return bytes;
}

}  // namespace

lifecycle::FileStamp load_file_stamp(const std::string& path) {
    struct stat found{};
    if (stat(path.c_str(), &found) != 0) {
        return {};
    }
    constexpr std::int64_t kNanoseconds = 1'000'000'000;
    return {
        .bytes = static_cast<std::uint64_t>(found.st_size),
        .modified_ns = found.st_mtim.tv_sec * kNanoseconds + found.st_mtim.tv_nsec
    };
}

Result<ModelFacts> load_model_facts(std::string_view model, const fs::path& model_dir) {
    auto path = find_model(model, model_dir);
    if (!path) {
        return std::unexpected(std::move(path.error()));
    }
    ModelFacts facts;
    facts.header = load_header(*path);
    facts.bytes = load_size(*path);
    facts.stamp = load_file_stamp(*path);
    facts.path = std::move(*path);
    return facts;
}

}  // namespace orch::node::supervisor
