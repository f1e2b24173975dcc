#include "base/strong_id.hpp"

#include <algorithm>

namespace orch {
namespace {

constexpr std::size_t kMaxIdLength = 64;

bool id_char(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

}  // namespace

bool valid_id(std::string_view text) {
    return !text.empty() && text.size() <= kMaxIdLength && std::ranges::all_of(text, id_char);
}

}  // namespace orch
