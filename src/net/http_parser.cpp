#include "net/http_parser.hpp"

#include <fmt/format.h>
#include <llhttp/llhttp.h>

#include <utility>

namespace orch::net {

struct HttpParser::State {
    Kind kind;
    llhttp_t parser{};
    llhttp_settings_t settings{};
    RequestHead request;
    ResponseHead response;
    Headers headers;
    std::string name;
    std::string value;
    std::size_t head_bytes = 0;  // of the head, and of trailers
    bool no_body = false;
    bool head_done = false;
    bool message_done = false;
    std::vector<std::string_view> body;

    explicit State(Kind message_kind);
    void reset();
    bool grow_trailer(std::size_t bytes);
    bool bodiless() const;
    void take_head();
    std::unexpected<Error> failure() const;

    static State& of(llhttp_t* parser) { return *static_cast<State*>(parser->data); }

    static int on_url(llhttp_t* parser, const char* at, std::size_t length);
    static int on_name(llhttp_t* parser, const char* at, std::size_t length);
    static int on_value(llhttp_t* parser, const char* at, std::size_t length);
    static int on_value_complete(llhttp_t* parser);
    static int on_head(llhttp_t* parser);
    static int on_body(llhttp_t* parser, const char* at, std::size_t length);
    static int on_message(llhttp_t* parser);
};

namespace {

constexpr int kNoBody = 1;  // what on_headers_complete returns to say so

Method method_of(std::uint8_t method) {
    switch (method) {
        case HTTP_GET:
            return Method::get;
        case HTTP_POST:
            return Method::post;
        case HTTP_PUT:
            return Method::put;
        case HTTP_DELETE:
            return Method::del;
        case HTTP_OPTIONS:
            return Method::options;
        case HTTP_HEAD:
            return Method::head;
        default:
            return Method::other;
    }
}

}  // namespace

HttpParser::State::State(Kind message_kind) : kind(message_kind) {
    llhttp_settings_init(&settings);
    settings.on_url = on_url;
    settings.on_header_field = on_name;
    settings.on_header_value = on_value;
    settings.on_header_value_complete = on_value_complete;
    settings.on_headers_complete = on_head;
    settings.on_body = on_body;
    settings.on_message_complete = on_message;
    reset();
}

void HttpParser::State::reset() {
    llhttp_init(&parser, kind == Kind::request ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    parser.data = this;
    request = {};
    response = {};
    headers = {};
    name.clear();
    value.clear();
    head_bytes = 0;
    no_body = false;
    head_done = false;
    message_done = false;
    body.clear();
}

// feed() counts the head, from outside; a trailer can only be seen from inside.
bool HttpParser::State::grow_trailer(std::size_t bytes) {
    head_bytes += head_done ? bytes : 0;
    return head_bytes <= kMaxHeadBytes;
}

bool HttpParser::State::bodiless() const {
    return kind == Kind::response && (no_body || parser.status_code == HTTP_STATUS_NO_CONTENT ||
                                      parser.status_code == HTTP_STATUS_NOT_MODIFIED);
}

int HttpParser::State::on_url(llhttp_t* parser, const char* at, std::size_t length) {
    of(parser).request.target.append(at, length);
    return 0;
}

int HttpParser::State::on_name(llhttp_t* parser, const char* at, std::size_t length) {
    State& self = of(parser);
    self.name.append(at, length);
    return self.grow_trailer(length) ? 0 : HPE_USER;
}

int HttpParser::State::on_value(llhttp_t* parser, const char* at, std::size_t length) {
    State& self = of(parser);
    self.value.append(at, length);
    return self.grow_trailer(length) ? 0 : HPE_USER;
}

int HttpParser::State::on_value_complete(llhttp_t* parser) {
    State& self = of(parser);
    if (self.name.empty()) {
        llhttp_set_error_reason(parser, "a header without a name");
        return HPE_USER;
    }
    // Trailers come after the head and are dropped: nobody here knows what to do with them.
    if (!self.head_done) {
        self.headers.add(self.name, self.value);
    }
    self.name.clear();
    self.value.clear();
    return 0;
}

void HttpParser::State::take_head() {
    const bool keep_alive = llhttp_should_keep_alive(&parser) != 0;
    const bool chunked = (parser.flags & F_CHUNKED) != 0;
    const auto length = (parser.flags & F_CONTENT_LENGTH) != 0
                            ? std::optional<Bytes>(parser.content_length)
                            : std::nullopt;
    if (kind == Kind::request) {
        request.method = method_of(parser.method);
        request.version_minor = parser.http_minor;
        request.headers = std::move(headers);
        request.keep_alive = keep_alive;
        request.chunked = chunked;
        request.content_length = length;
    } else {
        response.status = parser.status_code;
        response.headers = std::move(headers);
        response.keep_alive = keep_alive;
        response.chunked = chunked;
        response.content_length = length;
    }
    head_done = true;
}

int HttpParser::State::on_head(llhttp_t* parser) {
    State& self = of(parser);
    if (parser->http_major != 1) {
        llhttp_set_error_reason(parser, "only HTTP/1.0 and HTTP/1.1 are spoken here");
        return HPE_USER;
    }
    // An interim answer (100 Continue) is skipped: llhttp goes on to the real one.
    if (self.kind == Kind::response && parser->status_code / 100 == 1) {
        if (parser->upgrade != 0) {
            llhttp_set_error_reason(parser, "an upgrade that nobody asked for");
            return HPE_USER;
        }
        self.headers = {};
        return 0;
    }
    self.take_head();
    return self.bodiless() ? kNoBody : HPE_PAUSED;
}

int HttpParser::State::on_body(llhttp_t* parser, const char* at, std::size_t length) {
    of(parser).body.emplace_back(at, length);
    return 0;
}

int HttpParser::State::on_message(llhttp_t* parser) {
    State& self = of(parser);
    if (!self.head_done) {
        return 0;
    }
    self.message_done = true;
    return HPE_PAUSED;
}

std::unexpected<Error> HttpParser::State::failure() const {
    if (head_bytes > kMaxHeadBytes) {
        return fail(
            Errc::headers_too_large,
            fmt::format("the request line and headers exceed {} bytes", kMaxHeadBytes)
        );
    }
    const char* const reason = llhttp_get_error_reason(&parser);
    return fail(
        Errc::invalid_params,
        fmt::format("malformed HTTP message: {}", reason != nullptr ? reason : "unknown reason")
    );
}

HttpParser::HttpParser(Kind kind) : state_(std::make_unique<State>(kind)) {}

HttpParser::~HttpParser() = default;

Result<std::size_t> HttpParser::feed(std::string_view in) {
    State& state = *state_;
    state.body.clear();
    if (state.message_done) {
        return 0;
    }
    if (llhttp_get_errno(&state.parser) == HPE_PAUSED) {
        llhttp_resume(&state.parser);
    }
    if (in.data() == nullptr) {
        in = "";  // llhttp forgets where it is when it is fed a null pointer
    }
    const bool in_head = !state.head_done;
    const llhttp_errno_t outcome = llhttp_execute(&state.parser, in.data(), in.size());
    if (outcome != HPE_OK && outcome != HPE_PAUSED) {
        return state.failure();
    }
    const char* const stop = outcome == HPE_OK ? nullptr : llhttp_get_error_pos(&state.parser);
    const std::size_t used =
        stop == nullptr ? in.size() : static_cast<std::size_t>(stop - in.data());
    state.head_bytes += in_head ? used : 0;
    if (state.head_bytes > kMaxHeadBytes) {
        return state.failure();
    }
    return used;
}

void HttpParser::expect_no_body() {
    state_->no_body = true;
}

bool HttpParser::finish() {
    state_->body.clear();
    if (llhttp_get_errno(&state_->parser) == HPE_PAUSED) {
        llhttp_resume(&state_->parser);
    }
    llhttp_finish(&state_->parser);
    return state_->message_done;
}

bool HttpParser::head_done() const {
    return state_->head_done;
}

bool HttpParser::message_done() const {
    return state_->message_done;
}

const std::vector<std::string_view>& HttpParser::body() const {
    return state_->body;
}

RequestHead& HttpParser::request() {
    return state_->request;
}

ResponseHead& HttpParser::response() {
    return state_->response;
}

void HttpParser::reset() {
    state_->reset();
}

}  // namespace orch::net
