#include "net/headers.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace orch::net {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Calls visit(token) for each element of a comma list until it returns true.
template <class Visit>
bool any_token(std::string_view list, Visit visit) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        if (visit(trim(list.substr(0, comma)))) {
            return true;
        }
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    }
    return false;
}

constexpr std::array<std::string_view, 9> kHopByHop{
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
};

}  // namespace

bool iequals(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

void Headers::add(std::string_view name, std::string_view value) {
    fields_.push_back(Field{std::string(name), std::string(value)});
}

void Headers::set(std::string_view name, std::string_view value) {
    erase(name);
    add(name, value);
}

void Headers::erase(std::string_view name) {
    std::erase_if(fields_, [&](const Field& field) { return iequals(field.name, name); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
    for (const Field& field : fields_) {
        if (iequals(field.name, name)) {
            return field.value;
        }
    }
    return std::nullopt;
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
    return std::ranges::any_of(fields_, [&](const Field& field) {
        return iequals(field.name, name) && any_token(field.value, [&](std::string_view found) {
                   return iequals(found, token);
               });
    });
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    const auto clean = [](char c) {
        const bool control = (c >= 0 && c < ' ' && c != '\t') || c == '\x7f';
        return control ? ' ' : c;
    };
    std::ranges::transform(name, std::back_inserter(out), clean);
    out += ": ";
    std::ranges::transform(value, std::back_inserter(out), clean);
    out += "\r\n";
}

void erase_hop_by_hop(Headers& headers) {
    std::vector<std::string> named;
    for (const Headers::Field& field : headers.fields()) {
        if (iequals(field.name, "Connection")) {
            any_token(field.value, [&](std::string_view token) {
                named.emplace_back(token);
                return false;
            });
        }
    }
    std::erase_if(headers.fields(), [&](const Headers::Field& field) {
        const auto same = [&](std::string_view name) { return iequals(name, field.name); };
        return std::ranges::any_of(kHopByHop, same) || std::ranges::any_of(named, same);
    });
}

}  // namespace orch::net
