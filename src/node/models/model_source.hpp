#pragma once

#include "api/http_address.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>
#include <variant>

// Where a model is taken from. Pure.
namespace orch::node::models {

struct FileSource {
    std::string path;  // absolute
};

struct HttpSource {
    api::HttpAddress address;
    std::string target;  // path and query
};

using ModelSource = std::variant<FileSource, HttpSource>;

// An absolute path, file:/path, file:///path, http:// or https:// URL. Errors: invalid_params.
Result<ModelSource> parse_model_source(std::string_view text);

// The source without user, password and query, which may be secret: for answers and logs.
std::string shown_source(std::string_view text);

// The id of what comes from there, from its last segment. Errors: invalid_params.
Result<std::string> id_of_source(std::string_view text);

// The URL that a redirection from `from` leads to. Errors: invalid_params.
Result<HttpSource> follow_redirect(const HttpSource& from, std::string_view location);

}  // namespace orch::node::models
