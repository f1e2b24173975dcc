#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orch::net {

// ASCII case-insensitive equality, as header names compare.
bool iequals(std::string_view a, std::string_view b);

// The header fields of one message, in order. Names keep their spelling and compare without case.
class Headers {
public:
    struct Field {
        std::string name;
        std::string value;
    };

    void add(std::string_view name, std::string_view value);
    void set(std::string_view name, std::string_view value);  // replaces all of that name
    void erase(std::string_view name);

    // The first value of that name.
    std::optional<std::string_view> find(std::string_view name) const;

    // True when a comma-separated header holds `token` ("Connection: keep-alive, close").
    bool has_token(std::string_view name, std::string_view token) const;

    const std::vector<Field>& fields() const { return fields_; }

    std::vector<Field>& fields() { return fields_; }

private:
    std::vector<Field> fields_;
};

// Appends "Name: value" and the line's end. A control character, which would begin a line of its
// own or be refused by the peer, is written as a space.
void append_field(std::string& out, std::string_view name, std::string_view value);

// Removes the fields that concern one connection only (RFC 9110 7.6.1) and those that the
// Connection field names: they are never passed on.
void erase_hop_by_hop(Headers& headers);

}  // namespace orch::net
