#pragma once

#include "base/result.hpp"
#include "net/http_message.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace orch::net {

// Both are refused with the code of the same name; 64 KiB is what the head may have in all.
inline constexpr std::size_t kMaxHeadBytes = 64UL * 1024;

// Incremental HTTP/1 parsing by llhttp (strict), for one message at a time. Interim answers (1xx)
// are skipped, trailers dropped, nothing is ever upgraded. Pure; no I/O.
//
//     feed() consumes a prefix of the input and stops after the head and after the message;
//     body() then lists the body pieces found in that prefix (views into the input).
class HttpParser {
public:
    enum class Kind { request, response };

    explicit HttpParser(Kind kind);
    ~HttpParser();
    HttpParser(const HttpParser&) = delete;
    HttpParser& operator=(const HttpParser&) = delete;

    // How many bytes were used. Errors: invalid_params for malformed bytes, headers_too_large.
    Result<std::size_t> feed(std::string_view in);

    // The peer closed its side in order: true when that ends the message (a response without a
    // length).
    bool finish();

    bool head_done() const;
    bool message_done() const;
    const std::vector<std::string_view>& body() const;

    RequestHead& request();    // Requires: kind request, head_done()
    ResponseHead& response();  // Requires: kind response, head_done()

    // The answer is to a HEAD request: it has no body, whatever its length says. Until reset().
    void expect_no_body();

    // Forgets the message, ready for the next one on the same connection.
    void reset();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace orch::net
