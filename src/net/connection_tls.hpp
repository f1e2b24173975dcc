#pragma once

#include "net/connection.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace orch::net {

inline constexpr std::size_t kBufferSize = 16UL * 1024;  // of a connection's plain text

// What a connection has besides when it speaks TLS.
struct Connection::TlsStream {
    static constexpr std::size_t kWireBuffer = kBufferSize;  // so that plain text fits back

    explicit TlsStream(std::unique_ptr<TlsSession> made)
        : session(std::move(made)), wire(std::make_unique<char[]>(kWireBuffer)) {}

    std::string_view received() const { return {wire.get(), got}; }

    std::unique_ptr<TlsSession> session;
    std::unique_ptr<char[]> wire;
    std::size_t got = 0;                // bytes of the last receive
    boost::system::error_code failure;  // of the last receive
    std::string plain;                  // gathered into records
};

}  // namespace orch::net
