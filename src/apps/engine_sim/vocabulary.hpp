#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace orch::engine_sim {

// The engine's tokens: the words of the texts it has seen, with the space before them. Their
// numbers are this process's own. One thread.
class Vocabulary {
public:
    struct Token {
        std::uint32_t id = 0;
        std::string_view piece;  // as long as the vocabulary
    };

    // As many as count_words() counts, one for blanks alone; together they spell the text.
    std::vector<Token> tokenize(std::string_view text);

    // Text of the tokens; false where one of the ids is none.
    bool append(std::uint32_t id, std::string& text) const;

private:
    Token intern(std::string_view piece);

    std::deque<std::string> pieces_;  // by id
    std::unordered_map<std::string_view, std::uint32_t> ids_;
};

}  // namespace orch::engine_sim
