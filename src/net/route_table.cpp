#include "net/route_table.hpp"

#include "net/percent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>

namespace orch::net {
namespace {

using Params = std::vector<std::pair<std::string, std::string>>;

// Cuts the first segment off a path that starts with a slash.
std::string_view cut_segment(std::string_view& path) {
    path.remove_prefix(1);
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, slash);
    path.remove_prefix(slash);
    return segment;
}

std::optional<Params> match_pattern(std::string_view pattern, std::string_view path) {
    Params params;
    while (!pattern.empty() && !path.empty()) {
        const std::string_view wanted = cut_segment(pattern);
        const std::string_view rest = path.substr(1);
        const std::string_view found = cut_segment(path);
        if (!wanted.starts_with('{')) {
            if (wanted != found) {
                return std::nullopt;
            }
            continue;
        }
        const bool takes_rest = wanted.ends_with("...}");
        auto value = percent_decode(takes_rest ? rest : found);
        if (!value || value->empty()) {
            return std::nullopt;
        }
        const std::size_t tail = takes_rest ? 4 : 1;
        params.emplace_back(wanted.substr(1, wanted.size() - 1 - tail), std::move(*value));
        if (takes_rest) {
            return params;
        }
    }
    return pattern.empty() && path.empty() ? std::optional(std::move(params)) : std::nullopt;
}

void allow(RouteMatch& match, Method method) {
    const std::string_view name = to_string(method);
    const bool known =
        match.allow.ends_with(name) || match.allow.contains(fmt::format("{}, ", name));
    if (!known) {
        match.allow += match.allow.empty() ? "" : ", ";
        match.allow += name;
    }
    if (method == Method::get) {
        allow(match, Method::head);
    }
}

bool serves(const Route& route, Method method) {
    return route.method == method || (route.method == Method::get && method == Method::head);
}

}  // namespace

void RouteTable::add(Route route) {
    assert(std::ranges::none_of(routes_, [&](const Route& other) {
        return other.method == route.method && other.path == route.path;
    }));
    const std::size_t index = routes_.size();
    if (route.path.find('{') == std::string::npos) {
        exact_[route.path].push_back(index);
    } else {
        patterns_.push_back(index);
    }
    routes_.push_back(std::move(route));
}

RouteMatch RouteTable::match(Method method, std::string_view path) const {
    RouteMatch match;
    if (const auto found = exact_.find(std::string(path)); found != exact_.end()) {
        for (const std::size_t index : found->second) {
            if (serves(routes_[index], method)) {
                match.route = &routes_[index];
                match.allow.clear();
                return match;
            }
            allow(match, routes_[index].method);
        }
    }
    for (const std::size_t index : patterns_) {
        auto params =
            path.starts_with('/') ? match_pattern(routes_[index].path, path) : std::nullopt;
        if (!params) {
            continue;
        }
        if (serves(routes_[index], method)) {
            match.route = &routes_[index];
            match.params = std::move(*params);
            match.allow.clear();
            return match;
        }
        allow(match, routes_[index].method);
    }
    return match;
}

}  // namespace orch::net
