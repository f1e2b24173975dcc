#pragma once

#include "net/tls_context.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct ssl_st;
struct ssl_session_st;

namespace orch::net {

// A finished session of a server, to be taken up again with less work; null when there is none.
using TlsTicket = std::shared_ptr<ssl_session_st>;

// One TLS connection without its socket: bytes of the wire go in and come out, plain text on the
// other side. One thread.
//
//   handshake() until done; then read() and write(). After each step what output() holds is to be
//   sent; `want_input` asks for more bytes of the wire.
class TlsSession {
public:
    enum class Progress { done, want_input, failed };
    enum class ReadState { data, want_input, closed, failed };

    struct ReadStep {
        ReadState state = ReadState::failed;
        std::size_t bytes = 0;
    };

    // For an accepted connection. Requires: a server's context.
    static std::unique_ptr<TlsSession> accept(const TlsContextPtr& context);

    // For a connection made to `host`, a name or an IP address, which the peer's certificate must
    // be for. `ticket`: of an earlier session with the same peer and context, or null.
    static std::unique_ptr<TlsSession> connect(
        const TlsContextPtr& context, const std::string& host, const TlsTicket& ticket
    );

    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    void put_input(std::string_view wire);
    Progress handshake();
    ReadStep read(char* out, std::size_t room);

    // False when the session has failed.
    bool write(std::string_view plain);

    // Says that nothing more is going to be written, so that the peer can tell an end from a cut.
    void finish();

    // Bytes for the wire, valid until the next call of anything else.
    std::string_view output() const;
    void output_sent();

    bool accepting() const { return host_.empty(); }

    bool established() const { return established_; }

    bool resumed() const;

    // Why handshake() or a read() failed, for people.
    const std::string& error() const { return error_; }

    TlsTicket ticket() const;

    const TlsContextPtr& context() const { return context_; }

private:
    TlsSession(TlsContextPtr context, std::string host);

    void failed_with(int code);

    TlsContextPtr context_;
    std::string host_;  // of a client
    ssl_st* ssl_;
    std::string error_;
    bool established_ = false;
    bool failed_ = false;
};

}  // namespace orch::net
