#include "net/tls_session.hpp"

#include "net/tls_error.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace orch::net {
namespace {

bool is_ip(const std::string& host) {
    boost::system::error_code no_literal;
    boost::asio::ip::make_address(host, no_literal);
    return !no_literal;
}

// SNI is for names only (RFC 6066 3); an address is looked for among the certificate's addresses.
bool expect_peer(SSL* ssl, const std::string& host) {
    if (is_ip(host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host.c_str()) == 1 &&
           SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

int clamped(std::size_t size) {
    return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

}  // namespace

TlsSession::TlsSession(TlsContextPtr context, std::string host)
    : context_(std::move(context)), host_(std::move(host)), ssl_(SSL_new(context_->get())) {
    BIO* const in = BIO_new(BIO_s_mem());
    BIO* const out = BIO_new(BIO_s_mem());
    if (ssl_ == nullptr || in == nullptr || out == nullptr) {
        throw std::runtime_error("OpenSSL: " + take_tls_errors("out of memory"));
    }
    // No input means "later", not "ended".
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl_, in, out);
}

TlsSession::~TlsSession() {
    SSL_free(ssl_);
}

std::unique_ptr<TlsSession> TlsSession::accept(const TlsContextPtr& context) {
    std::unique_ptr<TlsSession> session(new TlsSession(context, {}));
    SSL_set_accept_state(session->ssl_);
    return session;
}

std::unique_ptr<TlsSession> TlsSession::connect(
    const TlsContextPtr& context, const std::string& host, const TlsTicket& ticket
) {
    std::unique_ptr<TlsSession> session(new TlsSession(context, host));
    SSL_set_connect_state(session->ssl_);
    if (!expect_peer(session->ssl_, host)) {
        throw std::runtime_error("OpenSSL: " + take_tls_errors("the peer's name cannot be set"));
    }
    if (ticket) {
        SSL_set_session(session->ssl_, ticket.get());
    }
    return session;
}

void TlsSession::put_input(std::string_view wire) {
    BIO_write(SSL_get_rbio(ssl_), wire.data(), clamped(wire.size()));
}

TlsSession::Progress TlsSession::handshake() {
    ERR_clear_error();
    const int outcome = SSL_do_handshake(ssl_);
    if (outcome == 1) {
        established_ = true;
        return Progress::done;
    }
    if (SSL_get_error(ssl_, outcome) == SSL_ERROR_WANT_READ) {
        return Progress::want_input;
    }
    failed_with(SSL_get_error(ssl_, outcome));
    return Progress::failed;
}

TlsSession::ReadStep TlsSession::read(char* out, std::size_t room) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int outcome = SSL_read_ex(ssl_, out, room, &bytes);
    if (outcome == 1) {
        return {ReadState::data, bytes};
    }
    switch (const int code = SSL_get_error(ssl_, outcome)) {
        case SSL_ERROR_WANT_READ:
            return {ReadState::want_input, 0};
        case SSL_ERROR_ZERO_RETURN:
            return {ReadState::closed, 0};
        default:
            failed_with(code);
            return {ReadState::failed, 0};
    }
}

bool TlsSession::write(std::string_view plain) {
    ERR_clear_error();
    std::size_t bytes = 0;
    if (!plain.empty() && SSL_write_ex(ssl_, plain.data(), plain.size(), &bytes) != 1) {
        failed_with(SSL_ERROR_SSL);
        return false;
    }
    return true;
}

void TlsSession::finish() {
    if (established_ && !failed_) {
        SSL_shutdown(ssl_);
        ERR_clear_error();
    }
}

std::string_view TlsSession::output() const {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl_), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

void TlsSession::output_sent() {
    (void)BIO_reset(SSL_get_wbio(ssl_));
}

bool TlsSession::resumed() const {
    return SSL_session_reused(ssl_) == 1;
}

TlsTicket TlsSession::ticket() const {
    SSL_SESSION* const session = SSL_get1_session(ssl_);
    if (session == nullptr || SSL_SESSION_is_resumable(session) != 1) {
        SSL_SESSION_free(session);
        return nullptr;
    }
    return {session, SSL_SESSION_free};
}

void TlsSession::failed_with(int code) {
    failed_ = true;
    const long verified = SSL_get_verify_result(ssl_);
    const unsigned long first = ERR_peek_error();
    if (!host_.empty() && verified != X509_V_OK) {
        error_ = explain_certificate(verified, host_);
    } else if (verified != X509_V_OK) {
        error_ = explain_certificate(verified, "the caller");
    } else if (code == SSL_ERROR_SSL && first != 0) {
        error_ = explain_alert(first, "the TLS handshake failed");
    } else {
        error_ = "the connection was cut";
    }
    ERR_clear_error();
}

}  // namespace orch::net
