#include "net/http_parser.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace orch::net {
namespace {

using Kind = HttpParser::Kind;
using namespace std::string_view_literals;

// Feeds everything, as a connection would, until the message ends or the input does.
Result<std::size_t> feed_all(HttpParser& parser, std::string_view in, std::string* body = nullptr) {
    std::size_t total = 0;
    while (!parser.message_done()) {
        const auto used = parser.feed(in.substr(total));
        if (!used) {
            return used;
        }
        for (const std::string_view piece : parser.body()) {
            if (body != nullptr) {
                *body += piece;
            }
        }
        total += *used;
        if (*used == 0 && total == in.size()) {
            break;
        }
    }
    return total;
}

Errc refusal(std::string_view in, Kind kind = Kind::request) {
    HttpParser parser(kind);
    const auto used = feed_all(parser, in);
    EXPECT_FALSE(used.has_value()) << in;
    return used ? Errc::internal : used.error().code;
}

TEST(HttpParser, StopsBehindTheHeadAndBehindTheMessage) {
    const std::string head =
        "POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-Empty:\r\nContent-Length: 3\r\n\r\n";
    HttpParser parser(Kind::request);
    EXPECT_EQ(parser.feed(head + "abcGET"), head.size());
    ASSERT_TRUE(parser.head_done());
    EXPECT_FALSE(parser.message_done());
    const RequestHead& request = parser.request();
    EXPECT_EQ(request.method, Method::post);
    EXPECT_EQ(request.path(), "/a");
    EXPECT_EQ(request.query(), "b=c");
    EXPECT_EQ(request.headers.find("x-empty"), "");
    EXPECT_EQ(request.content_length, 3U);
    EXPECT_TRUE(request.keep_alive);
    EXPECT_EQ(parser.feed("abcGET"), 3U);
    EXPECT_EQ(parser.body(), std::vector<std::string_view>{"abc"});
    EXPECT_TRUE(parser.message_done());
    EXPECT_EQ(parser.feed("GET"), 0U);
}

TEST(HttpParser, ResetForgetsTheMessage) {
    HttpParser parser(Kind::request);
    ASSERT_TRUE(feed_all(parser, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"));
    parser.reset();
    EXPECT_FALSE(parser.head_done());
    ASSERT_TRUE(feed_all(parser, "\r\nPUT /2 HTTP/1.0\r\n\r\n"));
    EXPECT_EQ(parser.request().target, "/2");
    EXPECT_EQ(parser.request().method, Method::put);
    EXPECT_TRUE(parser.request().headers.fields().empty());
    EXPECT_FALSE(parser.request().keep_alive);
    EXPECT_EQ(parser.request().version_minor, 0);
}

TEST(HttpParser, AnUnknownVerbIsOther) {
    HttpParser parser(Kind::request);
    ASSERT_TRUE(feed_all(parser, "PATCH / HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_EQ(parser.request().method, Method::other);
}

TEST(HttpParser, ChunkedBodyIsJoinedAndItsTrailersAreDropped) {
    HttpParser parser(Kind::request);
    std::string body;
    const std::string text =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n";
    EXPECT_EQ(feed_all(parser, text + "GET /next", &body), text.size());
    EXPECT_TRUE(parser.request().chunked);
    EXPECT_EQ(body, "abc0123456789");
    EXPECT_EQ(parser.request().headers.find("X-Trailer"), std::nullopt);
}

TEST(HttpParser, MalformedHeadsAreRefused) {
    for (const std::string_view text : {
             "NOT HTTP AT ALL\r\n\r\n"sv,
             "GET / HTTP/1.1\r\nNo colon\r\n\r\n"sv,
             "GET / HTTP/1.1\r\nBad Name: 1\r\n\r\n"sv,
             "GET / HTTP/1.1\r\nName : 1\r\n\r\n"sv,
             "GET / HTTP/1.1\r\n: 1\r\n\r\n"sv,
             "GET / HTTP/1.1\r\nX: a\0b\r\n\r\n"sv,
             "GET /\0 HTTP/1.1\r\n\r\n"sv,
             "GET / HTTP/1.1\r\nX: a\rY: b\r\n\r\n"sv,
             "GET / HTTP/2.0\r\nHost: x\r\n\r\n"sv,
             "GET / HTTP/0.9\r\nHost: x\r\n\r\n"sv,
             "GET / HTTP/11.1\r\nHost: x\r\n\r\n"sv,
             "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"sv,
             "\x16\x03\x01\x02\x00\x01\x00\x01"sv,
         }) {
        EXPECT_EQ(refusal(text), Errc::invalid_params) << text;
    }
}

TEST(HttpParser, ABareLineFeedEndsNoHeader) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: x\nX-Smuggled: 1\r\n\r\n"), Errc::invalid_params);
    EXPECT_EQ(refusal("GET / HTTP/1.1\nHost: x\n\n"), Errc::invalid_params);
    EXPECT_EQ(
        refusal("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"),
        Errc::invalid_params
    );
}

TEST(HttpParser, AmbiguousBodyLengthsAreRefused) {
    const std::string start = "POST / HTTP/1.1\r\nHost: x\r\n";
    for (const std::string lengths : {
             "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
             "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
             "Content-Length: 3\r\nContent-Length: 3\r\n",
             "Content-Length: 3\r\ncontent-length: 4\r\n",
             "Content-Length: 3, 3\r\n",
             "Content-Length: +3\r\n",
             "Content-Length: -3\r\n",
             "Content-Length: 0x3\r\n",
             "Content-Length: 3 3\r\n",
             "Content-Length: 18446744073709551616\r\n",
             "Transfer-Encoding: gzip\r\n",
             "Transfer-Encoding: chunked, gzip\r\n",
             "Transfer-Encoding: xchunked\r\n",
         }) {
        EXPECT_EQ(refusal(start + lengths + "\r\nabc"), Errc::invalid_params) << lengths;
    }
}

TEST(HttpParser, BrokenChunksAreRefused) {
    const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string chunks :
         {"x\r\n", "-1\r\n", "3\r\nabcd\r\n", "FFFFFFFFFFFFFFFFF\r\n", "\r\n"}) {
        EXPECT_EQ(refusal(head + chunks), Errc::invalid_params) << chunks;
    }
}

std::string head_of(std::size_t bytes) {
    const std::string start = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
    return start + std::string(bytes - start.size() - 4, 'a') + "\r\n\r\n";
}

TEST(HttpParser, AHeadUpToTheLimitIsReadAndALongerOneRefused) {
    HttpParser parser(Kind::request);
    EXPECT_EQ(feed_all(parser, head_of(kMaxHeadBytes)), kMaxHeadBytes);
    EXPECT_TRUE(parser.message_done());
    EXPECT_EQ(refusal(head_of(kMaxHeadBytes + 1)), Errc::headers_too_large);
}

TEST(HttpParser, EveryWayToMakeAHeadEndlessIsRefused) {
    const std::string many(kMaxHeadBytes + 1, 'a');
    std::string lines;
    while (lines.size() <= kMaxHeadBytes) {
        lines += "A:\r\n";
    }
    EXPECT_EQ(refusal("GET /" + many), Errc::headers_too_large);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\n" + many), Errc::headers_too_large);
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nA: " + many), Errc::headers_too_large);
    EXPECT_EQ(
        refusal("GET / HTTP/1.1\r\nA:" + std::string(many.size(), ' ')), Errc::headers_too_large
    );
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\n" + lines), Errc::headers_too_large);
    EXPECT_EQ(refusal("HTTP/1.1 200 " + many, Kind::response), Errc::headers_too_large);
    EXPECT_EQ(
        refusal("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + many),
        Errc::headers_too_large
    );
}

TEST(HttpParser, HeadLimitCountsOverManyReads) {
    HttpParser parser(Kind::request);
    const std::string text = head_of(kMaxHeadBytes + 1);
    std::size_t fed = 0;
    Result<std::size_t> used = 0;
    while (used && fed < text.size()) {
        used = parser.feed(std::string_view(text).substr(fed, 100));
        fed += 100;
    }
    ASSERT_FALSE(used.has_value());
    EXPECT_EQ(used.error().code, Errc::headers_too_large);
}

TEST(HttpParser, AnUpgradeIsNeverTakenUp) {
    HttpParser request(Kind::request);
    const std::string upgrade =
        "GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    EXPECT_EQ(feed_all(request, upgrade + "GET /b"), upgrade.size());
    EXPECT_TRUE(request.message_done());
    EXPECT_EQ(
        refusal(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
            Kind::response
        ),
        Errc::invalid_params
    );
}

TEST(HttpParser, AnUpgradeWithABodyIsReadAsAnyRequest) {
    HttpParser parser(Kind::request);
    std::string body;
    const std::string text =
        "POST /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAMAAABk\r\nContent-Length: 2\r\n\r\nhi";
    EXPECT_EQ(feed_all(parser, text + "GET /b", &body), text.size());
    EXPECT_EQ(body, "hi");
}

TEST(HttpParser, InterimAnswersAreSkipped) {
    HttpParser parser(Kind::response);
    std::string body;
    const std::string text =
        "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
        "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok";
    EXPECT_EQ(feed_all(parser, text, &body), text.size());
    EXPECT_EQ(parser.response().status, 201);
    EXPECT_EQ(parser.response().headers.fields().size(), 1U);
    EXPECT_EQ(body, "ok");
}

TEST(HttpParser, AnswersWithoutABodyEndWithTheirHead) {
    for (const int status : {204, 304}) {
        HttpParser parser(Kind::response);
        const std::string head = fmt::format("HTTP/1.1 {} X\r\nContent-Length: 5\r\n\r\n", status);
        EXPECT_EQ(feed_all(parser, head + "HTTP/"), head.size());
        EXPECT_TRUE(parser.message_done()) << status;
    }
    HttpParser parser(Kind::response);
    parser.expect_no_body();
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n";
    EXPECT_EQ(feed_all(parser, head), head.size());
    EXPECT_TRUE(parser.message_done());
    EXPECT_TRUE(parser.response().keep_alive);
    EXPECT_EQ(parser.response().content_length, 15U);
}

TEST(HttpParser, OnlyTheEndOfTheConnectionEndsAnAnswerWithoutLength) {
    HttpParser parser(Kind::response);
    std::string body;
    ASSERT_TRUE(feed_all(parser, "HTTP/1.1 200 OK\r\n\r\nsome text", &body));
    EXPECT_EQ(body, "some text");
    EXPECT_FALSE(parser.response().keep_alive);
    EXPECT_FALSE(parser.message_done());
    EXPECT_TRUE(parser.finish());
}

TEST(HttpParser, TheEndOfTheConnectionDoesNotEndWhatHasALength) {
    for (const char* text :
         {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
          "HTTP/1.1 200 OK\r\nContent-Le",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
          ""}) {
        HttpParser parser(Kind::response);
        ASSERT_TRUE(feed_all(parser, text));
        EXPECT_FALSE(parser.finish()) << text;
    }
}

}  // namespace
}  // namespace orch::net
