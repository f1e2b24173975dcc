#include "auth/token_settings.hpp"

#include "base/file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace orch::auth {
namespace {

void take(Tokens& tokens, Result<Tokens> more, SettingsRead& read) {
    if (!more) {
        read.errors.push_back(more.error().message);
        return;
    }
    for (std::string& warning : more->warnings) {
        read.warnings.push_back(std::move(warning));
    }
    more->warnings.clear();
    merge(tokens, std::move(*more));
}

}  // namespace

Tokens read_token_settings(SettingsRead& read) {
    Tokens tokens;
    if (read.settings.given("LLORCH_API_TOKEN")) {
        const std::string list =
            fmt::format("{}", fmt::join(read.settings.get_list("LLORCH_API_TOKEN"), ","));
        take(tokens, parse_token_list(list, "LLORCH_API_TOKEN"), read);
    }
    if (const auto path = read.settings.find_text("LLORCH_API_TOKEN_FILE")) {
        const auto text = load_file(*path);
        if (text) {
            take(tokens, parse_token_file(*text, *path), read);
        } else {
            read.errors.push_back("LLORCH_API_TOKEN_FILE: " + text.error().message);
        }
    }
    return tokens;
}

}  // namespace orch::auth
