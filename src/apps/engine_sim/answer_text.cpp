#include "apps/engine_sim/answer_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <optional>

namespace orch::engine_sim {
namespace {

// The order of the tiny test model's greedy answer, so that tests can run on either.
constexpr std::array<std::string_view, 64> kOrder{
    "red", "net", "day", "oil", "ant", "bed", "arm", "yak", "van", "egg", "oak", "elm", "key",
    "wax", "bus", "fan", "sea", "and", "urn", "big", "rug", "zip", "dog", "dot", "gem", "hen",
    "mix", "pie", "leg", "hat", "box", "rat", "can", "owl", "nut", "ink", "sun", "kit", "jar",
    "ear", "ice", "pan", "map", "cup", "lab", "gas", "log", "cow", "art", "bee", "bat", "jam",
    "cat", "toy", "fox", "sky", "tea", "jet", "zoo", "fig", "tin", "web", "car", "pen",
};
constexpr std::size_t kWordLength = 3;

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kKeys{{
    {"alpha", "A"},
    {"beta", "B"},
    {"gamma", "G"},
    {"delta", "D"},
}};

std::string suffix_for(std::string_view prompt) {
    std::string suffix;
    for (const auto& [key, letter] : kKeys) {
        if (prompt.find(key) != std::string_view::npos) {
            suffix = letter;
        }
    }
    return suffix;
}

// Where in the order a word stands, whatever its spelling.
std::optional<std::uint32_t> place_of(std::string_view word) {
    const bool spelled = word.size() == kWordLength + 1 &&
                         std::string_view("ABGD").find(word.back()) != std::string_view::npos;
    const auto found = std::ranges::find(kOrder, word.substr(0, kWordLength));
    if ((word.size() != kWordLength && !spelled) || found == kOrder.end()) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(std::distance(kOrder.begin(), found));
}

// The last word of `text`, which is shortened by it and the space before it.
std::string_view take_last_word(std::string_view& text) {
    const std::size_t space = text.rfind(' ');
    const std::string_view word = space == std::string_view::npos ? text : text.substr(space + 1);
    text = space == std::string_view::npos ? std::string_view{} : text.substr(0, space);
    return word;
}

}  // namespace

AnswerText::AnswerText(std::string_view prompt, std::string_view begun, std::uint32_t words)
    : suffix_(suffix_for(prompt)) {
    std::uint32_t written = 0;
    for (auto place = place_of(take_last_word(begun)); place;
         place = place_of(take_last_word(begun))) {
        first_ = ++written == 1 ? *place + 1 : first_;
    }
    size_ = words - std::min(words, written);
}

std::string AnswerText::word(std::uint32_t i) const {
    std::string text(" ");
    text += kOrder[(first_ + i) % kOrder.size()];
    return text + suffix_;
}

std::uint32_t count_words(std::string_view text) {
    std::uint32_t words = 0;
    bool inside = false;
    for (const char c : text) {
        const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
        words += !blank && !inside ? 1 : 0;
        inside = !blank;
    }
    return words;
}

}  // namespace orch::engine_sim
