#include "net/tls_context.hpp"

#include "net/tls_error.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace orch::net {
namespace {

// Of TLS 1.2; those of TLS 1.3 are all sound.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

constexpr std::array<unsigned char, 9> kAlpn{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr std::string_view kSessionId = "llama-orch";

std::unexpected<Error> bad_file(std::string_view what, const std::string& path) {
    return fail(
        Errc::invalid_params, fmt::format("{}: {}: {}", path, what, take_tls_errors("unreadable"))
    );
}

std::shared_ptr<TlsContext> make_context(const SSL_METHOD* method) {
    auto context = std::make_shared<TlsContext>(SSL_CTX_new(method));
    SSL_CTX* const raw = context->get();
    if (raw == nullptr || SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(raw, kCiphers) != 1) {
        throw std::runtime_error("OpenSSL: " + take_tls_errors("no TLS"));
    }
    SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
    return context;
}

// A caller that speaks other protocols only is refused; one that does not use ALPN is served.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered, unsigned int offered_length, void*) {
    unsigned char* found = nullptr;
    const int outcome =
        SSL_select_next_proto(&found, length, kAlpn.data(), kAlpn.size(), offered, offered_length);
    *chosen = found;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// OpenSSL would ask a terminal for the passphrase of a protected key.
int no_passphrase(char*, int, int, void*) {
    return 0;
}

Result<void> use_certificate(SSL_CTX* context, const TlsFiles& files) {
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(context, files.cert.c_str()) != 1) {
        return bad_file("no certificate in PEM", files.cert);
    }
    if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return bad_file(
            fmt::format("no private key without passphrase that fits {}", files.cert), files.key
        );
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        return bad_file(fmt::format("not the key of {}", files.cert), files.key);
    }
    return {};
}

Result<void> trust(SSL_CTX* context, const std::string& path) {
    if (SSL_CTX_load_verify_file(context, path.c_str()) != 1) {
        return bad_file("no CA certificate in PEM", path);
    }
    return {};
}

Result<void> demand_certificates(SSL_CTX* context, const std::string& path) {
    if (auto trusted = trust(context, path); !trusted) {
        return trusted;
    }
    STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(path.c_str());
    if (names == nullptr) {
        return bad_file("no CA certificate in PEM", path);
    }
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return {};
}

}  // namespace

TlsContext::~TlsContext() {
    SSL_CTX_free(context_);
}

std::vector<std::string> TlsFiles::paths() const {
    std::vector<std::string> set;
    for (const std::string* path : {&cert, &key, &ca, &client_ca}) {
        if (!path->empty()) {
            set.push_back(*path);
        }
    }
    return set;
}

Result<TlsContextPtr> load_server_tls(const TlsFiles& files) {
    auto context = make_context(TLS_server_method());
    SSL_CTX* const raw = context->get();
    if (auto used = use_certificate(raw, files); !used) {
        return std::unexpected(used.error());
    }
    if (!files.client_ca.empty()) {
        if (auto demanded = demand_certificates(raw, files.client_ca); !demanded) {
            return std::unexpected(demanded.error());
        }
    }
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    // Without it OpenSSL refuses to resume sessions of callers that showed a certificate.
    const auto* const id = reinterpret_cast<const unsigned char*>(kSessionId.data());
    SSL_CTX_set_session_id_context(raw, id, kSessionId.size());
    return context;
}

Result<TlsContextPtr> load_client_tls(const TlsFiles& files) {
    auto context = make_context(TLS_client_method());
    SSL_CTX* const raw = context->get();
    if (files.ca.empty()) {
        SSL_CTX_set_default_verify_paths(raw);
        take_tls_errors("");
    } else if (auto trusted = trust(raw, files.ca); !trusted) {
        return std::unexpected(trusted.error());
    }
    if (!files.cert.empty()) {
        if (auto used = use_certificate(raw, files); !used) {
            return std::unexpected(used.error());
        }
    }
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_alpn_protos(raw, kAlpn.data(), kAlpn.size());
    return context;
}

Result<std::shared_ptr<const Tls>> load_tls(const TlsFiles& files) {
    auto tls = std::make_shared<Tls>();
    auto client = load_client_tls(files);
    if (!client) {
        return std::unexpected(client.error());
    }
    tls->client = std::move(*client);
    if (!files.cert.empty()) {
        auto server = load_server_tls(files);
        if (!server) {
            return std::unexpected(server.error());
        }
        tls->server = std::move(*server);
    }
    return tls;
}

}  // namespace orch::net
