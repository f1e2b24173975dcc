#include "base/log_line.hpp"

#include "base/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace orch {
namespace {

constexpr std::array<std::string_view, 4> kFixedKeys{"ts", "level", "logger", "msg"};

using Id = std::pair<std::string_view, std::string_view>;

std::array<Id, 4> ids_of(const LogRecord& record) {
    return {{
        {"correlation_id", record.correlation_id},
        {"trace_id", record.trace_id},
        {"node_id", record.node_id},
        {"machine_id", record.machine_id},
    }};
}

bool taken(std::string_view name, const std::array<Id, 4>& ids) {
    const auto is_it = [name](const Id& id) { return id.first == name && !id.second.empty(); };
    return std::ranges::find(kFixedKeys, name) != kFixedKeys.end() ||
           std::ranges::any_of(ids, is_it);
}

void append_escaped(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
        out.push_back(c);
    }
}

void append_quoted(std::string& out, std::string_view text) {
    out.push_back('"');
    for (const char c : to_valid_utf8(text)) {
        append_escaped(out, c);
    }
    out.push_back('"');
}

struct JsonValue {
    std::string& out;

    void operator()(std::string_view text) const { append_quoted(out, text); }

    void operator()(bool flag) const { out += flag ? "true" : "false"; }

    void operator()(double number) const {
        const auto text = fmt::format("{}", number);
        std::isfinite(number) ? void(out += text) : append_quoted(out, text);
    }

    void operator()(auto integer) const { out += fmt::format("{}", integer); }
};

void append_json(std::string& out, std::string_view key, const LogField::Value& value) {
    out.push_back(out.empty() ? '{' : ',');
    append_quoted(out, key);
    out.push_back(':');
    std::visit(JsonValue{out}, value);
}

std::string json_line(const LogRecord& record) {
    std::string out;
    const std::string time = rfc3339(record.time);
    append_json(out, "ts", std::string_view(time));
    append_json(out, "level", to_string(record.level));
    append_json(out, "logger", record.logger);
    append_json(out, "msg", record.message);
    const auto ids = ids_of(record);
    for (const auto& [key, id] : ids) {
        if (!id.empty()) {
            append_json(out, key, id);
        }
    }
    for (const LogField& field : record.fields) {
        const std::string key = std::string(field.name) + (taken(field.name, ids) ? "_" : "");
        append_json(out, key, field.value);
    }
    out += "}\n";
    return out;
}

bool plain(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
    });
}

struct TextValue {
    std::string& out;

    void operator()(std::string_view text) const {
        plain(text) ? void(out += text) : append_quoted(out, text);
    }

    void operator()(bool flag) const { out += flag ? "true" : "false"; }

    void operator()(auto number) const { out += fmt::format("{}", number); }
};

void append_text(std::string& out, std::string_view key, const LogField::Value& value) {
    out.push_back(' ');
    out += key;
    out.push_back('=');
    std::visit(TextValue{out}, value);
}

// The sentence stays readable: only what would break the line is escaped.
std::string one_line(std::string_view message) {
    std::string out;
    for (const char c : to_valid_utf8(message)) {
        c == '"' || c == '\\' ? out.push_back(c) : append_escaped(out, c);
    }
    return out;
}

std::string text_line(const LogRecord& record) {
    std::string out = fmt::format(
        "{} {:<5} {}: {}",
        rfc3339(record.time),
        to_string(record.level),
        record.logger,
        one_line(record.message)
    );
    for (const LogField& field : record.fields) {
        append_text(out, field.name, field.value);
    }
    if (!record.correlation_id.empty()) {
        append_text(out, "correlation_id", record.correlation_id);
    }
    out.push_back('\n');
    return out;
}

}  // namespace

std::string format_log_line(LogFormat format, const LogRecord& record) {
    return format == LogFormat::json ? json_line(record) : text_line(record);
}

}  // namespace orch
