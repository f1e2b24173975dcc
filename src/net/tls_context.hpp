#pragma once

#include "base/published.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;

namespace orch::net {

// The files of one daemon's TLS; empty = not set.
struct TlsFiles {
    std::string cert;       // chain in PEM, the own certificate first
    std::string key;        // its private key in PEM
    std::string ca;         // whom to trust when calling; else the system's store
    std::string client_ca;  // whose certificates callers must show

    bool any() const { return !cert.empty() || !key.empty() || !ca.empty() || !client_ca.empty(); }

    std::vector<std::string> paths() const;  // those that are set
};

// Certificates and rules for one side of TLS connections, read once. Immutable; any thread.
//
// TLS 1.2 and 1.3, forward secrecy and authenticated encryption only, no compression, no
// renegotiation; ALPN says http/1.1. A client checks the chain, the dates and the name or IP
// address of its peer; nothing can switch that off.
class TlsContext {
public:
    explicit TlsContext(ssl_ctx_st* owned) : context_(owned) {}

    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    ssl_ctx_st* get() const { return context_; }

private:
    ssl_ctx_st* context_;
};

using TlsContextPtr = std::shared_ptr<const TlsContext>;

// What a daemon has: null `server` = it listens in plain HTTP.
struct Tls {
    TlsContextPtr server;
    TlsContextPtr client;
};

using LiveTls = Published<Tls>;

// For listeners. Requires: cert and key are set. Reads the files.
// Errors: invalid_params, naming the file and what is wrong with it; never its content.
Result<TlsContextPtr> load_server_tls(const TlsFiles& files);

// For calls; shows cert and key, if there are any, to servers that ask for a certificate. Errors as
// above.
Result<TlsContextPtr> load_client_tls(const TlsFiles& files);

// Both, the server's part only with a certificate. Errors as above.
Result<std::shared_ptr<const Tls>> load_tls(const TlsFiles& files);

}  // namespace orch::net
