#pragma once

#include "base/bytes.hpp"
#include "net/headers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orch::net {

// The verbs our routes know; anything else is `other` and ends in 405.
enum class Method { get, post, put, del, options, head, other };

std::string_view to_string(Method method);

// The start line and header fields of a request.
struct RequestHead {
    Method method = Method::other;
    std::string target;  // as sent: path and query
    Headers headers;
    int version_minor = 1;  // HTTP/1.x
    bool keep_alive = true;
    bool chunked = false;
    std::optional<Bytes> content_length;

    std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }

    std::string_view query() const;  // without the question mark
};

struct ResponseHead {
    int status = 200;
    Headers headers;
    bool keep_alive = true;
    bool chunked = false;
    std::optional<Bytes> content_length;
};

// A whole answer, as handlers of the control routes make it.
struct Response {
    int status = 200;
    Headers headers;
    std::string body;
};

Response json_response(int status, std::string body);
Response text_response(int status, std::string_view content_type, std::string body);

// "Not Found" for 404; "Status" for a number without a name.
std::string_view reason_phrase(int status);

}  // namespace orch::net
