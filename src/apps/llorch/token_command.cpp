#include "apps/llorch/commands.hpp"
#include "apps/llorch/own_address.hpp"
#include "apps/llorch/token_file.hpp"
#include "apps/llorch/token_text.hpp"
#include "base/digest.hpp"

#include <filesystem>

namespace orch::llorch {
namespace {

constexpr std::size_t kTokenBytes = 32;  // 256 bits: nobody guesses it
constexpr std::uint16_t kDefaultPort = 8080;

Outcome<api::HttpAddress> control_plane(const TokenOptions& options) {
    if (options.url) {
        return parse_url(*options.url, "--url");
    }
    return api::HttpAddress{false, own_address(), kDefaultPort};
}

}  // namespace

ExitCode token_command(const TokenOptions& options, Console& console) {
    const auto address = control_plane(options);
    if (!address) {
        return report(console, address.error());
    }
    const auto token = secure_random_hex(kTokenBytes);
    if (!token) {
        return report(console, {ExitCode::refused, token.error().message});
    }
    const std::string path = std::filesystem::absolute(options.out).lexically_normal().string();
    if (const auto created = create_token_file(path, *token); !created) {
        return report(console, created.error());
    }
    console.out << token_text(
                       {path, {address->host, address->port}, address->tls},
                       console.terminal ? *token : ""
                   )
                << std::flush;
    return ExitCode::ok;
}

}  // namespace orch::llorch
