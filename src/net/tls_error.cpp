#include "net/tls_error.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cerrno>
#include <cstring>

namespace orch::net {
namespace {

std::string_view advice_for(long code) {
    switch (code) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return "; name the CA that made it in the TLS_CA setting";
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return "; renew it, or correct the clock of this machine";
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return "; correct the clock of one of the machines";
        default:
            return "";
    }
}

}  // namespace

std::string take_tls_errors(std::string_view otherwise) {
    const unsigned long first = ERR_get_error();
    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(first)) {
        return std::strerror(ERR_GET_REASON(first));
    }
    const char* const reason = first != 0 ? ERR_reason_error_string(first) : nullptr;
    return reason != nullptr ? reason : std::string(otherwise);
}

std::string explain_certificate(long code, std::string_view expected) {
    if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        return fmt::format(
            "the certificate is not for {}: {} (subjectAltName)",
            expected,
            code == X509_V_ERR_HOSTNAME_MISMATCH ? "the host name is not in it"
                                                 : "the IP address is not in it"
        );
    }
    return fmt::format(
        "the certificate of {} was refused: {}{}",
        expected,
        X509_verify_cert_error_string(code),
        advice_for(code)
    );
}

std::string explain_alert(unsigned long error, std::string_view otherwise) {
    switch (ERR_GET_REASON(error)) {
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
            return "the peer demands a client certificate; set TLS_CERT and TLS_KEY";
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
            return "the peer does not trust the CA of the certificate that was shown";
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
            return "the certificate that was shown to the peer has expired";
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_HTTP_REQUEST:
            return "the peer does not speak TLS there: is it an http:// address?";
        default:
            break;
    }
    const char* const reason = ERR_reason_error_string(error);
    return reason != nullptr ? reason : std::string(otherwise);
}

}  // namespace orch::net
