#include "apps/llorch/endpoint.hpp"

#include "api/http_address.hpp"
#include "apps/llorch/printable.hpp"
#include "base/file.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::llorch {
namespace {

// A value and the name of the setting it comes from.
struct Given {
    std::string value;
    std::string setting;
};

std::optional<Given> from_flag(const std::optional<std::string>& flag, std::string setting) {
    return flag ? std::optional(Given{*flag, std::move(setting)}) : std::nullopt;
}

std::optional<Given> from_variable(const Environment& environment, const std::string& name) {
    const auto found = environment.find(name);
    const bool set = found != environment.end() && !found->second.empty();
    return set ? std::optional(Given{found->second, name}) : std::nullopt;
}

Given url_of(const EndpointFlags& flags, const Environment& environment) {
    if (auto given = from_flag(flags.url, "--url")) {
        return *given;
    }
    if (auto given = from_variable(environment, "LLORCH_URL")) {
        return *given;
    }
    return {std::string(kDefaultUrl), "LLORCH_URL"};
}

Outcome<auth::Secret> outbound(Result<auth::Tokens> tokens) {
    if (!tokens) {
        return failed(ExitCode::usage, tokens.error().message);
    }
    return std::move(tokens->outbound);
}

Outcome<auth::Secret> load_token_file(const Given& file) {
    const auto text = load_file(file.value);
    if (!text) {
        return failed(ExitCode::usage, fmt::format("{}: {}", file.setting, text.error().message));
    }
    return outbound(auth::parse_token_file(*text, file.value));
}

Outcome<auth::Secret> load_token(
    const std::optional<Given>& token, const std::optional<Given>& file
) {
    if (token) {
        return outbound(auth::parse_token_list(token->value, token->setting));
    }
    return file ? load_token_file(*file) : auth::Secret();
}

// A flag of either kind outweighs both variables.
Outcome<auth::Secret> load_token(const EndpointFlags& flags, const Environment& environment) {
    if (flags.api_token || flags.api_token_file) {
        return load_token(
            from_flag(flags.api_token, "--api-token"),
            from_flag(flags.api_token_file, "--api-token-file")
        );
    }
    return load_token(
        from_variable(environment, "LLORCH_API_TOKEN"),
        from_variable(environment, "LLORCH_API_TOKEN_FILE")
    );
}

std::string path_of(
    const std::optional<std::string>& flag, const Environment& environment, const char* name
) {
    const auto given = flag ? from_flag(flag, name) : from_variable(environment, name);
    return given ? given->value : "";
}

Outcome<std::shared_ptr<const net::Tls>> load_certificates(
    const EndpointFlags& flags, const Environment& environment
) {
    const net::TlsFiles files{
        path_of(flags.tls_cert, environment, "LLORCH_TLS_CERT"),
        path_of(flags.tls_key, environment, "LLORCH_TLS_KEY"),
        path_of(flags.tls_ca, environment, "LLORCH_TLS_CA"),
        {},
    };
    if (files.cert.empty() != files.key.empty()) {
        return failed(
            ExitCode::usage, "LLORCH_TLS_CERT and LLORCH_TLS_KEY: give both or none of them"
        );
    }
    auto client = net::load_client_tls(files);
    if (!client) {
        const char* const setting = files.cert.empty() ? "LLORCH_TLS_CA" : "LLORCH_TLS_*";
        return failed(ExitCode::usage, fmt::format("{}: {}", setting, client.error().message));
    }
    return std::make_shared<const net::Tls>(net::Tls{nullptr, std::move(*client)});
}

}  // namespace

Outcome<api::HttpAddress> parse_url(std::string_view url, std::string_view setting) {
    auto address = api::parse_http_address(url, setting);
    if (!address) {
        return failed(
            ExitCode::usage, fmt::format("{}, not \"{}\"", address.error().message, printable(url))
        );
    }
    return std::move(*address);
}

Outcome<Endpoint> load_endpoint(const EndpointFlags& flags, const Environment& environment) {
    const Given url = url_of(flags, environment);
    auto address = parse_url(url.value, url.setting);
    if (!address) {
        return std::unexpected(address.error());
    }
    auto token = load_token(flags, environment);
    if (!token) {
        return std::unexpected(token.error());
    }
    Endpoint endpoint{to_string(*address), {address->host, address->port}, std::move(*token)};
    if (address->tls) {
        auto tls = load_certificates(flags, environment);
        if (!tls) {
            return std::unexpected(tls.error());
        }
        endpoint.tls = std::move(*tls);
    }
    return endpoint;
}

}  // namespace orch::llorch
