#include "engine/json_scan.hpp"

namespace orch::engine {

std::string_view skip_blanks(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

std::string_view value_of(std::string_view json, std::string_view quoted_key) {
    for (std::size_t at = json.find(quoted_key); at != std::string_view::npos;
         at = json.find(quoted_key, at + 1)) {
        const std::string_view rest = skip_blanks(json.substr(at + quoted_key.size()));
        if (rest.starts_with(':')) {
            return skip_blanks(rest.substr(1));
        }
    }
    return {};
}

}  // namespace orch::engine
