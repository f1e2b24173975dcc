#include "base/host_port.hpp"

#include <gtest/gtest.h>

namespace orch {
namespace {

TEST(HostPort, ReadsAddressesNamesAndIpv6) {
    EXPECT_EQ(parse_host_port("127.0.0.1:8080"), (HostPort{"127.0.0.1", 8080}));
    EXPECT_EQ(parse_host_port("gpu-1.example:0"), (HostPort{"gpu-1.example", 0}));
    EXPECT_EQ(parse_host_port("[::1]:65535"), (HostPort{"::1", 65535}));
}

TEST(HostPort, RefusesEverythingElse) {
    for (const char* const bad :
         {"",
          ":8080",
          "8080",
          "host",
          "host:",
          "host:65536",
          "host:-1",
          "host:80x",
          "::1:80",
          "[::1]",
          "[::1]80",
          "[host]:80",
          "a b:80",
          "host:8 0",
          "http://host:80",
          "[]:80"}) {
        EXPECT_FALSE(parse_host_port(bad)) << bad;
    }
}

TEST(HostPort, GoesBackToText) {
    EXPECT_EQ(to_string(HostPort{"::1", 80}), "[::1]:80");
    EXPECT_EQ(to_string(HostPort{"localhost", 0}), "localhost:0");
}

TEST(LoopbackHost, IsThisMachineOnly) {
    for (const char* const yes :
         {"localhost", "LocalHost", "127.0.0.1", "127.255.0.9", "::1", "[::1]", "::ffff:127.0.0.1"
         }) {
        EXPECT_TRUE(is_loopback_host(yes)) << yes;
    }
    for (const char* const no :
         {"",
          "0.0.0.0",
          "::",
          "10.0.0.1",
          "128.0.0.1",
          "localhost.example",
          "127.0.0.1.example",
          "127.1",
          "::ffff:10.0.0.1",
          "[localhost",
          "::2"}) {
        EXPECT_FALSE(is_loopback_host(no)) << no;
    }
}

TEST(HostHeader, YieldsItsHost) {
    EXPECT_EQ(host_of("example:80"), "example");
    EXPECT_EQ(host_of("example"), "example");
    EXPECT_EQ(host_of("[::1]:80"), "::1");
    EXPECT_EQ(host_of("[::1]"), "::1");
    for (const char* const bad :
         {"", "a:b", "a:80:80", "[::1", "[::1]x", "a b", "u@localhost", "a/"}) {
        EXPECT_EQ(host_of(bad), "") << bad;
    }
}

}  // namespace
}  // namespace orch
