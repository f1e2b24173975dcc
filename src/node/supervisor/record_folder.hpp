#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace orch::node::supervisor {

// A folder of small JSON files, each written in one piece: what the daemon must know again after
// its own end. All calls block.
class RecordFolder {
public:
    struct Record {
        std::string name;  // "chat-r0.json"
        std::string text;
    };

    explicit RecordFolder(std::filesystem::path path) : path_(std::move(path)) {}

    // Makes the folder when it is missing. Errors: internal naming it.
    Result<void> prepare() const;

    // Every file that ends in ".json" and can be read, by name.
    std::vector<Record> load_all() const;

    // Errors: internal naming the file.
    Result<void> save(const std::string& name, std::string_view text) const;

    void remove(const std::string& name) const;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace orch::node::supervisor
