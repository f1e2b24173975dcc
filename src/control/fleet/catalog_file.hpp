#pragma once

#include "base/result.hpp"
#include "control/catalog/catalog_table.hpp"

#include <cstdint>
#include <mutex>
#include <string>

namespace orch::control::fleet {

// The catalog on disk: <state folder>/catalog.json. Calls block; any thread.
class CatalogFile {
public:
    explicit CatalogFile(std::string path) : path_(std::move(path)) {}

    // No file: an empty catalog. Errors: internal naming the file and what is wrong in it.
    Result<catalog::CatalogTable> load() const;

    // Durable when it returns. A text older than one that was written is left out.
    // Errors: internal naming the file.
    Result<void> save(const std::string& text, std::uint64_t version);

private:
    std::string path_;
    std::mutex saving_;
    std::uint64_t saved_version_ = 0;
};

}  // namespace orch::control::fleet
