#include "base/utf8.hpp"

#include <algorithm>
#include <cstddef>

namespace orch {
namespace {

unsigned byte_at(std::string_view text, std::size_t index) {
    return static_cast<unsigned char>(text[index]);
}

std::size_t announced_length(unsigned lead) {
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        return 3;
    }
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

// The second byte's range rules out overlong forms, surrogates and what lies beyond U+10FFFF
// (Unicode 15, table 3-7).
bool second_fits(unsigned lead, unsigned second) {
    const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high;
}

// Bytes at the start of `text` that could begin one character, at most its announced length.
std::size_t matching_bytes(std::string_view text) {
    const unsigned lead = byte_at(text, 0);
    const std::size_t wanted = std::min(announced_length(lead), text.size());
    for (std::size_t i = 1; i < wanted; ++i) {
        const unsigned byte = byte_at(text, i);
        if (i == 1 ? !second_fits(lead, byte) : (byte & 0xC0) != 0x80) {
            return i;
        }
    }
    return wanted;
}

// Length of the well-formed character at the start of `text`; 0 if there is none.
std::size_t character_length(std::string_view text) {
    const std::size_t wanted = announced_length(byte_at(text, 0));
    return wanted != 0 && matching_bytes(text) == wanted ? wanted : 0;
}

}  // namespace

bool valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

std::string to_valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::size_t whole_utf8_prefix(std::string_view text) {
    constexpr std::size_t kLongestCut = 3;
    const std::size_t first = text.size() - std::min(text.size(), kLongestCut);
    for (std::size_t start = first; start < text.size(); ++start) {
        const std::string_view tail = text.substr(start);
        if (announced_length(byte_at(tail, 0)) > tail.size() &&
            matching_bytes(tail) == tail.size()) {
            return start;
        }
    }
    return text.size();
}

}  // namespace orch
