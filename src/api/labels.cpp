#include "api/labels.hpp"

#include "base/strong_id.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::api {
namespace {

Result<void> add_label(Labels& labels, const std::string& item, std::string_view source) {
    const std::size_t equals = item.find('=');
    const std::string name = item.substr(0, equals);
    if (equals == std::string::npos || !valid_id(name)) {
        return fail(
            Errc::invalid_params,
            fmt::format(
                "{}: '{}' is not of the form name=value; a name is of [A-Za-z0-9._-]{{1,64}}",
                source,
                item
            )
        );
    }
    if (item.size() - equals - 1 > kMaxLabelValue) {
        return fail(
            Errc::invalid_params,
            fmt::format(
                "{}: the value of '{}' has more than {} bytes", source, name, kMaxLabelValue
            )
        );
    }
    if (!labels.emplace(name, item.substr(equals + 1)).second) {
        return fail(Errc::invalid_params, fmt::format("{}: '{}' is there twice", source, name));
    }
    return {};
}

}  // namespace

Result<Labels> read_labels(const std::vector<std::string>& items, std::string_view source) {
    Labels labels;
    for (const std::string& item : items) {
        if (auto added = add_label(labels, item, source); !added) {
            return std::unexpected(std::move(added.error()));
        }
    }
    if (labels.size() > kMaxLabels) {
        return fail(
            Errc::invalid_params,
            fmt::format("{}: there are more than {} labels", source, kMaxLabels)
        );
    }
    return labels;
}

Result<Labels> parse_labels(std::string_view text, std::string_view source) {
    std::vector<std::string> items;
    for (const std::string_view item : split(text, ',')) {
        if (!item.empty()) {
            items.emplace_back(item);
        }
    }
    return read_labels(items, source);
}

}  // namespace orch::api
