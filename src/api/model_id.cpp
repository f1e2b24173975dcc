#include "api/model_id.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orch::api {
namespace {

constexpr std::size_t kLongestId = 128;
constexpr std::string_view kAlgorithm = "sha256:";
constexpr std::size_t kHexDigits = 64;

bool is_id_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

bool valid_model_id(std::string_view text) {
    return !text.empty() && text.size() <= kLongestId && text.front() != '.' &&
           std::ranges::all_of(text, is_id_character);
}

std::optional<std::string> model_id_of_file(std::string_view file_name) {
    constexpr std::string_view kEnding = ".gguf";
    if (file_name.ends_with(kEnding)) {
        file_name.remove_suffix(kEnding.size());
    }
    std::string id(file_name.substr(0, kLongestId));
    std::ranges::replace_if(id, [](char c) { return !is_id_character(c); }, '-');
    return valid_model_id(id) ? std::optional(std::move(id)) : std::nullopt;
}

Result<std::string> parse_digest(std::string_view text, std::string_view field) {
    std::string_view digits = text;
    if (equal_ignoring_case(digits.substr(0, kAlgorithm.size()), kAlgorithm)) {
        digits.remove_prefix(kAlgorithm.size());
    }
    std::string digest(digits);
    std::ranges::transform(digest, digest.begin(), lower);
    if (digest.size() != kHexDigits || !std::ranges::all_of(digest, is_hex)) {
        return fail(
            Errc::invalid_params,
            fmt::format("{}: must be sha256: and 64 hexadecimal digits", field)
        );
    }
    return std::string(kAlgorithm) + digest;
}

}  // namespace orch::api
