#include "apps/llorch/printable.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace orch::llorch {
namespace {

constexpr std::string_view kEllipsis = "\u2026";

bool continues_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20U || byte == 0x7FU;
}

// U+0080 to U+009F: C1 controls, which some terminals obey like escape sequences.
bool is_c1(std::string_view text, std::size_t at) {
    return text[at] == '\xC2' && at + 1 < text.size() &&
           static_cast<unsigned char>(text[at + 1]) < 0xA0U;
}

// The first `width` characters.
std::string_view prefix(std::string_view text, std::size_t width) {
    std::size_t end = 0;
    for (; width > 0 && end < text.size(); --width) {
        ++end;
        while (end < text.size() && continues_character(text[end])) {
            ++end;
        }
    }
    return text.substr(0, end);
}

// Where to break a line that is too long: behind the last word that fits, else anywhere.
std::size_t break_at(std::string_view text, std::size_t width) {
    const std::size_t fits = prefix(text, width).size();
    const std::size_t blank = text.rfind(' ', fits);
    return blank == std::string_view::npos || blank == 0 ? fits : blank;
}

}  // namespace

std::string printable(std::string_view text) {
    const std::string valid = to_valid_utf8(text);
    std::string out;
    out.reserve(valid.size());
    for (std::size_t at = 0; at < valid.size(); ++at) {
        const char c = valid[at];
        if (c == '\n' || c == '\r' || c == '\t') {
            out += ' ';
        } else if (is_control(c)) {
            out += '?';
        } else if (is_c1(valid, at)) {
            out += '?';
            ++at;
        } else {
            out += c;
        }
    }
    return out;
}

std::vector<std::string> printable_lines(std::string_view text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string line = printable(text.substr(begin, end - begin));
        line.erase(line.find_last_not_of(' ') + 1);
        if (!line.empty()) {
            lines.push_back(std::move(line));
        }
        begin = end + 1;
    }
    return lines;
}

std::size_t display_width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
        return !continues_character(c);
    }));
}

std::string clipped(std::string_view text, std::size_t width) {
    if (display_width(text) <= width) {
        return std::string(text);
    }
    return width == 0 ? std::string() : std::string(prefix(text, width - 1)).append(kEllipsis);
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
    const std::size_t indent = std::min(text.find_first_not_of(' '), text.size());
    const std::string margin(indent, ' ');
    const std::size_t room = std::max<std::size_t>(width > indent ? width - indent : 0, 1);
    std::vector<std::string> lines;
    std::string_view rest = text.substr(indent);
    while (display_width(rest) > room) {
        const std::size_t end = break_at(rest, room);
        lines.push_back(margin + std::string(rest.substr(0, end)));
        rest = rest.substr(end);
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    }
    if (!rest.empty() || lines.empty()) {
        lines.push_back(margin + std::string(rest));
    }
    return lines;
}

}  // namespace orch::llorch
