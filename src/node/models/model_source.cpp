#include "node/models/model_source.hpp"

#include "api/model_id.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orch::node::models {
namespace {

bool is_http(std::string_view text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

bool is_printable(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return c == 0x7F || (c >= 0 && c < 0x20); });
}

Result<ModelSource> parse_http(std::string_view text) {
    const std::size_t host = text.find("//") + 2;
    const std::size_t path = text.find_first_of("/?#", host);
    auto address = api::parse_http_address(text.substr(0, path), "source");
    if (!address) {
        return std::unexpected(address.error());
    }
    std::string target(path == std::string_view::npos ? "" : text.substr(path));
    target = target.substr(0, target.find('#'));
    if (!target.starts_with('/')) {
        target.insert(0, "/");
    }
    if (target.contains(' ')) {
        return fail(Errc::invalid_params, "source: a URL holds no blanks");
    }
    return HttpSource{std::move(*address), std::move(target)};
}

}  // namespace

Result<ModelSource> parse_model_source(std::string_view text) {
    if (!is_printable(text)) {
        return fail(Errc::invalid_params, "source: holds a control character");
    }
    if (is_http(text)) {
        return parse_http(text);
    }
    if (text.starts_with("file:")) {
        text.remove_prefix(5);
        if (text.starts_with("//")) {
            text.remove_prefix(2);
        }
    }
    if (!text.starts_with('/')) {
        return fail(
            Errc::invalid_params,
            "source: must be an absolute path, file:/PATH, http://... or https://..."
        );
    }
    return FileSource{std::string(text)};
}

std::string shown_source(std::string_view text) {
    return std::string(is_http(text) ? text.substr(0, text.find_first_of("?#")) : text);
}

Result<std::string> id_of_source(std::string_view text) {
    std::string_view name = is_http(text) ? text.substr(0, text.find_first_of("?#")) : text;
    name = name.substr(name.rfind('/') + 1);
    const auto id = api::model_id_of_file(name);
    if (!id) {
        return fail(
            Errc::invalid_params,
            fmt::format("id: must be given, since '{}' does not end in a name", shown_source(text))
        );
    }
    return *id;
}

Result<HttpSource> follow_redirect(const HttpSource& from, std::string_view location) {
    if (location.starts_with('/') && !location.starts_with("//")) {
        return HttpSource{from.address, std::string(location.substr(0, location.find('#')))};
    }
    auto to = is_http(location) ? parse_model_source(location)
                                : fail(Errc::invalid_params, "source: redirects to nowhere");
    if (!to) {
        return std::unexpected(to.error());
    }
    return std::get<HttpSource>(std::move(*to));
}

}  // namespace orch::node::models
