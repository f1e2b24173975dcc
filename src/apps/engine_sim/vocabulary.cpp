#include "apps/engine_sim/vocabulary.hpp"

#include <algorithm>

namespace orch::engine_sim {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\v\f";

}  // namespace

Vocabulary::Token Vocabulary::intern(std::string_view piece) {
    if (const auto known = ids_.find(piece); known != ids_.end()) {
        return {known->second, known->first};
    }
    const auto id = static_cast<std::uint32_t>(pieces_.size());
    const std::string_view kept = pieces_.emplace_back(piece);
    ids_.emplace(kept, id);
    return {id, kept};
}

std::vector<Vocabulary::Token> Vocabulary::tokenize(std::string_view text) {
    std::vector<Token> tokens;
    while (!text.empty()) {
        const std::size_t word = std::min(text.find_first_not_of(kBlanks), text.size());
        std::size_t end = std::min(text.find_first_of(kBlanks, word), text.size());
        if (text.find_first_not_of(kBlanks, end) == std::string_view::npos) {
            end = text.size();
        }
        tokens.push_back(intern(text.substr(0, end)));
        text.remove_prefix(end);
    }
    return tokens;
}

bool Vocabulary::append(std::uint32_t id, std::string& text) const {
    if (id >= pieces_.size()) {
        return false;
    }
    text += pieces_[id];
    return true;
}

}  // namespace orch::engine_sim
