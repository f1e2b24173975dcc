#pragma once

#include <string>
#include <string_view>

// What OpenSSL has to say, for people.
namespace orch::net {

// Empties this thread's queue of OpenSSL errors and returns the first reason in it, the cause,
// `otherwise` when there is none.
std::string take_tls_errors(std::string_view otherwise);

// Why the peer's certificate was refused: OpenSSL's sentence, with what an operator can do about
// it. `expected` is the name or address that was called. `code` is an X509_V_ERR.
std::string explain_certificate(long code, std::string_view expected);

// The alert of a peer that refuses us, in words an operator understands; `otherwise` for others.
std::string explain_alert(unsigned long error, std::string_view otherwise);

}  // namespace orch::net
