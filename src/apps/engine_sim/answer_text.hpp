#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace orch::engine_sim {

// What the engine writes: words in a fixed order, " red net day oil ...". A key word (alpha, beta,
// gamma, delta; of several the later in this list) anywhere in the prompt spells them " redB netB
// ...", so that a lost prompt shows. A begun answer is continued behind its last word, in the
// prompt's spelling. Past the 64th word the order begins anew. Pure.
class AnswerText {
public:
    // `begun` is the end of what the model sees: an answer's first words, or any other text.
    // `words` is the length of a whole answer.
    AnswerText(std::string_view prompt, std::string_view begun, std::uint32_t words);

    // Words that are still to be written.
    std::uint32_t size() const { return size_; }

    // Requires: i < size().
    std::string word(std::uint32_t i) const;

private:
    std::uint32_t first_ = 0;  // index in the order
    std::uint32_t size_ = 0;
    std::string suffix_;
};

// Tokens of a text: its words.
std::uint32_t count_words(std::string_view text);

}  // namespace orch::engine_sim
