#include "control/fleet/catalog_file.hpp"

#include "base/file.hpp"
#include "base/replace_file.hpp"

#include <fmt/format.h>

namespace orch::control::fleet {
namespace {

constexpr Bytes kLargest = 256 * kMiB;

}  // namespace

Result<catalog::CatalogTable> CatalogFile::load() const {
    const auto text = load_file(path_, kLargest);
    if (!text) {
        return text.error().code == Errc::not_found
                   ? Result<catalog::CatalogTable>(catalog::CatalogTable{})
                   : std::unexpected(text.error());
    }
    auto table = catalog::CatalogTable::parse(*text);
    if (!table) {
        return fail(
            Errc::internal, fmt::format("{}: is corrupt: {}", path_, table.error().message)
        );
    }
    return table;
}

Result<void> CatalogFile::save(const std::string& text, std::uint64_t version) {
    const std::lock_guard lock(saving_);
    if (version <= saved_version_) {
        return {};
    }
    auto saved = replace_file(path_, text);
    if (saved) {
        saved_version_ = version;
    }
    return saved;
}

}  // namespace orch::control::fleet
