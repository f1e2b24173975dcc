#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace orch::fuzz {

// What must hold for every input; libFuzzer reports the input for which it does not.
inline void expect(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "does not hold: %s\n", what);
        std::abort();
    }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Where to cut an input in two, taken from its last byte.
inline std::size_t split_of(std::string_view text) {
    return text.empty() ? 0 : static_cast<unsigned char>(text.back()) % text.size();
}

}  // namespace orch::fuzz
