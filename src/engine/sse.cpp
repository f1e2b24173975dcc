#include "engine/sse.hpp"

#include "engine/json_scan.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace orch::engine {
namespace {

bool holds_text(std::string_view json, std::string_view quoted_key) {
    const std::string_view value = value_of(json, quoted_key);
    return value.size() > 1 && value[0] == '"' && value[1] != '"';
}

bool delta_holds_text(std::string_view data) {
    // Those of OpenAI's chat and completion streams and of /completion, by frequency.
    constexpr std::array<std::string_view, 5> kTextKeys{
        "\"content\"", "\"text\"", "\"reasoning_content\"", "\"reasoning\"", "\"arguments\""
    };
    return std::ranges::any_of(kTextKeys, [data](std::string_view key) {
        return holds_text(data, key);
    });
}

std::string_view without_cr(std::string_view line) {
    return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

// Takes the first line off `rest`, without its end.
std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return without_cr(line);
}

// Splits "name: value"; a comment has the empty name.
std::pair<std::string_view, std::string_view> split_field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
        return {line, {}};
    }
    std::string_view value = line.substr(colon + 1);
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    return {line.substr(0, colon), value};
}

}  // namespace

std::size_t EventSplitter::feed(std::string_view bytes) {
    std::size_t whole = 0;
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (at_ == At::in_line) {
            const std::size_t end = bytes.find('\n', at);
            if (end == std::string_view::npos) {
                break;
            }
            at = end + 1;
            at_ = At::line_start;
        } else if (bytes[at] == '\n') {
            whole = ++at;
            at_ = At::line_start;
        } else if (bytes[at] == '\r' && at_ == At::line_start) {
            ++at;
            at_ = At::cr_at_line_start;
        } else {
            at_ = At::in_line;
        }
    }
    return whole;
}

std::string_view EventBuffer::feed(std::string_view bytes) {
    const std::size_t whole = splitter_.feed(bytes);
    if (whole == 0) {
        held_ += bytes;
        return {};
    }
    const std::string_view complete = bytes.substr(0, whole);
    if (held_.empty()) {
        held_ = bytes.substr(whole);
        return complete;
    }
    held_ += complete;
    whole_.swap(held_);
    held_ = bytes.substr(whole);
    return whole_;
}

std::optional<Event> EventReader::next() {
    Event event;
    std::size_t data_lines = 0;
    while (!rest_.empty()) {
        const std::string_view line = take_line(rest_);
        if (line.empty()) {
            if (data_lines > 0) {
                return event;
            }
            event = {};
            continue;
        }
        const auto [field, value] = split_field(line);
        if (field == "event") {
            event.name = value;
        } else if (field == "data" && ++data_lines == 1) {
            event.data = value;
        } else if (field == "data") {
            std::string longer(event.data);
            longer.append("\n").append(value);
            joined_ = std::move(longer);
            event.data = joined_;
        }
    }
    return std::nullopt;
}

bool is_done(std::string_view data) {
    return data == "[DONE]";
}

bool is_error(std::string_view data) {
    const std::string_view object = skip_blanks(data);
    return object.starts_with('{') && skip_blanks(object.substr(1)).starts_with("\"error\"");
}

bool is_token(const Event& event) {
    if (event.name.starts_with("response.")) {
        return event.name.ends_with(".delta");
    }
    if (event.name == "content_block_delta") {
        return holds_text(event.data, "\"text\"") || holds_text(event.data, "\"thinking\"") ||
               holds_text(event.data, "\"partial_json\"");
    }
    const bool plain = event.name.empty() || event.name == "message";
    return plain && delta_holds_text(event.data);
}

bool is_terminal(const Event& event) {
    constexpr std::array<std::string_view, 5> kLastNames{
        "message_stop", "response.completed", "response.incomplete", "response.failed", "error"
    };
    if (is_done(event.data) || is_error(event.data) ||
        std::ranges::find(kLastNames, event.name) != kLastNames.end()) {
        return true;
    }
    return event.name.empty() && value_of(event.data, "\"stop\"").starts_with("true");
}

std::size_t count_tokens(std::string_view whole_events) {
    std::size_t tokens = 0;
    EventReader reader(whole_events);
    while (const auto event = reader.next()) {
        tokens += is_token(*event) ? 1 : 0;
    }
    return tokens;
}

}  // namespace orch::engine
