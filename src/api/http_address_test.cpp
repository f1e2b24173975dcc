#include "api/http_address.hpp"

#include <gtest/gtest.h>

namespace orch::api {
namespace {

TEST(HttpAddress, SplitsSchemeHostAndPort) {
    const auto address = parse_http_address("https://node-1.lan:9200", "address");
    ASSERT_TRUE(address);
    EXPECT_EQ(*address, (HttpAddress{true, "node-1.lan", 9200}));
}

TEST(HttpAddress, KnowsDefaultPorts) {
    EXPECT_EQ(parse_http_address("http://a", "x")->port, 80);
    EXPECT_EQ(parse_http_address("https://a/", "x")->port, 443);
}

TEST(HttpAddress, TakesIpv6InBrackets) {
    const auto address = parse_http_address("http://[fd00::1]:8080", "address");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->host, "fd00::1");
    EXPECT_EQ(to_string(*address), "http://[fd00::1]:8080");
}

TEST(HttpAddress, RefusesEverythingElseAndNamesTheField) {
    for (const char* text :
         {"",
          "node:9200",
          "ftp://a:1",
          "http://",
          "http://:1",
          "http://a:",
          "http://a:0",
          "http://a:65536",
          "http://a:-1",
          "http://a:+1",
          "http://a:80x",
          "http://a:80/v2",
          "http://a b:80",
          "http://u@a:80",
          "http://[::1:80",
          "http://[]:80",
          "http://[host]:80",
          "http://a\r\nX: y:80"}) {
        const auto address = parse_http_address(text, "address");
        ASSERT_FALSE(address) << text;
        EXPECT_EQ(address.error().code, Errc::invalid_params);
        EXPECT_TRUE(address.error().message.starts_with("address: ")) << text;
    }
}

TEST(HttpAddress, WritesWhatItReads) {
    for (const char* text : {"http://10.0.0.7:9200", "https://[::1]:443", "http://h:80"}) {
        EXPECT_EQ(to_string(*parse_http_address(text, "x")), text);
    }
}

}  // namespace
}  // namespace orch::api
