#include "api/checks.hpp"

#include "api/http_address.hpp"

namespace orch::api {

Result<void> Checks::result() const {
    return error_ ? Result<void>(std::unexpected(*error_)) : Result<void>{};
}

void Checks::require(bool condition, std::string_view path, std::string_view wanted) {
    if (!condition && ok()) {
        error_ = Error{Errc::invalid_params, fmt::format("{}: must be {}", path, wanted), {}};
    }
}

void Checks::id(std::string_view text, std::string_view path) {
    require(valid_id(text), path, "1 to 64 of the characters A-Z a-z 0-9 . _ -");
}

void Checks::text(std::string_view text, std::size_t max_length, std::string_view path) {
    if (text.size() > max_length) {
        require(false, path, fmt::format("at most {} bytes long", max_length));
    }
}

void Checks::count(std::size_t count, std::size_t most, std::string_view path) {
    if (count > most) {
        require(false, path, fmt::format("a list of at most {}", most));
    }
}

void Checks::labels(const Labels& labels, const std::string& path) {
    count(labels.size(), kMaxLabels, path);
    for (const auto& [name, value] : labels) {
        require(valid_id(name), path, "keyed by 1 to 64 of A-Z a-z 0-9 . _ -");
        text(value, kMaxLabelValue, path);
    }
}

void Checks::base_url(std::string_view text, std::string_view path) {
    if (auto address = parse_http_address(text, path); !address && ok()) {
        error_ = address.error();
    }
}

Result<void> require_keys(
    const json::bj::value& value,
    std::string_view path,
    std::initializer_list<std::string_view> keys
) {
    if (!value.is_object()) {
        return {};
    }
    for (const std::string_view key : keys) {
        const json::bj::value* const found = value.get_object().if_contains(key);
        if (found == nullptr || found->is_null()) {
            return fail(
                Errc::invalid_params,
                fmt::format("{}{}{}: is missing", path, path.empty() ? "" : ".", key)
            );
        }
    }
    return {};
}

}  // namespace orch::api
