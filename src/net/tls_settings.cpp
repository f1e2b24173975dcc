#include "net/tls_settings.hpp"

#include <fmt/format.h>

#include <utility>

namespace orch::net {
namespace {

void check_pair(SettingsRead& read, const std::string& prefix, const TlsFiles& files) {
    if (files.cert.empty() == files.key.empty()) {
        if (files.cert.empty() && !files.client_ca.empty()) {
            read.errors.push_back(fmt::format(
                "{0}_TLS_CLIENT_CA: callers can show certificates only over TLS; set {0}_TLS_CERT "
                "and {0}_TLS_KEY too",
                prefix
            ));
        }
        return;
    }
    const char* const given = files.cert.empty() ? "KEY" : "CERT";
    const char* const missing = files.cert.empty() ? "CERT" : "KEY";
    read.errors.push_back(
        fmt::format("{0}_TLS_{1} is set and {0}_TLS_{2} is not", prefix, given, missing)
    );
}

}  // namespace

std::vector<Setting> tls_settings(const std::string& prefix) {
    return {
        {.name = prefix + "_TLS_CERT",
         .kind = SettingKind::path,
         .help = "Certificate chain (PEM); with it the listener speaks TLS. Also shown to servers "
                 "that ask for one.",
         .live = true},
        {.name = prefix + "_TLS_KEY",
         .kind = SettingKind::path,
         .help = "The certificate's private key (PEM, without a passphrase).",
         .live = true},
        {.name = prefix + "_TLS_CA",
         .kind = SettingKind::path,
         .help = "CA certificates (PEM) to trust when calling https addresses.",
         .fallback_note = "the system's store",
         .live = true},
        {.name = prefix + "_TLS_CLIENT_CA",
         .kind = SettingKind::path,
         .help = "CA certificates (PEM); callers must show a certificate of one of them (mTLS).",
         .live = true},
    };
}

TlsFiles read_tls_settings(SettingsRead& read, const std::string& prefix) {
    const auto path = [&](const char* name) {
        return read.settings.find_text(prefix + name).value_or("");
    };
    TlsFiles files{path("_TLS_CERT"), path("_TLS_KEY"), path("_TLS_CA"), path("_TLS_CLIENT_CA")};
    const std::size_t before = read.errors.size();
    check_pair(read, prefix, files);
    if (read.errors.size() == before && files.any()) {
        if (const auto loaded = load_tls(files); !loaded) {
            read.errors.push_back(fmt::format("{}_TLS: {}", prefix, loaded.error().message));
        }
    }
    return files;
}

}  // namespace orch::net
