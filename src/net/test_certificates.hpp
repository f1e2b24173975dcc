#pragma once

#include "base/replace_file.hpp"
#include "net/tls_context.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

// Certificates of a private CA, made for one test.
namespace orch::net {

struct IssueOptions {
    std::string names = "IP:127.0.0.1,DNS:localhost";  // subjectAltName as OpenSSL writes it
    std::chrono::hours begins{-1};                     // from now
    std::chrono::hours ends{24};
    std::string subject = "node";
};

class TestCa {
public:
    explicit TestCa(const std::string& name)
        : folder_(testing::TempDir() + "/orch_tls_" + std::to_string(getpid()) + "_" + name) {
        std::filesystem::create_directories(folder_);
        key_.reset(EVP_EC_gen("P-256"));
        certificate_ = make(key_.get(), {.names = "", .subject = name}, true);
        write(ca_file(), pem(certificate_.get()));
    }

    ~TestCa() { std::filesystem::remove_all(folder_); }

    TestCa(const TestCa&) = delete;
    TestCa& operator=(const TestCa&) = delete;

    std::string ca_file() const { return folder_ + "/ca.pem"; }

    // For a caller that trusts this CA and shows nothing.
    TlsFiles trusting() const { return {{}, {}, ca_file(), {}}; }

    std::string path(const std::string& name) const { return folder_ + "/" + name; }

    // Writes <as>.pem and <as>.key, over earlier ones too, and names them.
    TlsFiles issue(const std::string& as, const IssueOptions& options = {}) const {
        const Key key(EVP_EC_gen("P-256"));
        const Certificate made = make(key.get(), options, false);
        write(path(as + ".key"), pem(key.get()));
        write(path(as + ".pem"), pem(made.get()));
        return {path(as + ".pem"), path(as + ".key"), ca_file(), {}};
    }

private:
    struct Free {
        void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

        void operator()(X509* certificate) const { X509_free(certificate); }

        void operator()(BIO* bio) const { BIO_free(bio); }
    };

    using Key = std::unique_ptr<EVP_PKEY, Free>;
    using Certificate = std::unique_ptr<X509, Free>;

    static void write(const std::string& path, const std::string& text) {
        if (!replace_file(path, text)) {
            throw std::runtime_error("cannot write " + path);
        }
    }

    static std::string text_of(BIO* bio) {
        char* bytes = nullptr;
        const long size = BIO_get_mem_data(bio, &bytes);
        return {bytes, static_cast<std::size_t>(size)};
    }

    static std::string pem(X509* certificate) {
        const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
        PEM_write_bio_X509(bio.get(), certificate);
        return text_of(bio.get());
    }

    static std::string pem(EVP_PKEY* key) {
        const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
        PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
        return text_of(bio.get());
    }

    static void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
        X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
        X509_add_ext(certificate, made, -1);
        X509_EXTENSION_free(made);
    }

    Certificate make(EVP_PKEY* key, const IssueOptions& options, bool is_ca) const {
        Certificate made(X509_new());
        X509_set_version(made.get(), X509_VERSION_3);
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), ++serial_);
        const auto seconds = [](std::chrono::hours hours) { return hours.count() * 3600; };
        X509_gmtime_adj(X509_getm_notBefore(made.get()), seconds(options.begins));
        X509_gmtime_adj(X509_getm_notAfter(made.get()), seconds(options.ends));
        X509_NAME_add_entry_by_txt(
            X509_get_subject_name(made.get()),
            "CN",
            MBSTRING_UTF8,
            reinterpret_cast<const unsigned char*>(options.subject.c_str()),
            -1,
            -1,
            0
        );
        X509* const issuer = is_ca ? made.get() : certificate_.get();
        X509_set_issuer_name(made.get(), X509_get_subject_name(issuer));
        X509_set_pubkey(made.get(), key);
        extend(made.get(), issuer, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "CA:FALSE");
        if (!options.names.empty()) {
            extend(made.get(), issuer, NID_subject_alt_name, options.names);
        }
        X509_sign(made.get(), key_.get(), EVP_sha256());
        return made;
    }

    std::string folder_;
    Key key_;
    Certificate certificate_;
    mutable std::uint64_t serial_ = 0;
};

}  // namespace orch::net
