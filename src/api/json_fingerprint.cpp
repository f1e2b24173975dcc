#include "api/json_fingerprint.hpp"

#include "base/digest.hpp"
#include "base/json.hpp"

#include <algorithm>
#include <vector>

namespace orch::api {
namespace {

namespace bj = json::bj;

void append(std::string& out, const bj::value& value);

void append_object(std::string& out, const bj::object& object) {
    std::vector<const bj::key_value_pair*> members;
    for (const bj::key_value_pair& member : object) {
        members.push_back(&member);
    }
    std::ranges::sort(members, {}, [](const auto* member) { return member->key(); });
    for (const bj::key_value_pair* const member : members) {
        out += json::serialize(member->key());
        out += ':';
        append(out, member->value());
        out += ',';
    }
}

void append(std::string& out, const bj::value& value) {
    if (value.is_object()) {
        out += '{';
        append_object(out, value.get_object());
        out += '}';
    } else if (value.is_array()) {
        out += '[';
        for (const bj::value& element : value.get_array()) {
            append(out, element);
            out += ',';
        }
        out += ']';
    } else {
        out += json::serialize(value);
    }
}

}  // namespace

Result<std::string> json_fingerprint(std::string_view text) {
    const auto tree = json::parse(text);
    if (!tree) {
        return std::unexpected(tree.error());
    }
    std::string canonical;
    append(canonical, *tree);
    return sha256_hex(canonical);
}

}  // namespace orch::api
