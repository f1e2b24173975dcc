#include "net/headers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace orch::net {
namespace {

std::vector<std::string> names_of(const Headers& headers) {
    std::vector<std::string> names;
    for (const Headers::Field& field : headers.fields()) {
        names.push_back(field.name);
    }
    return names;
}

TEST(Headers, FindComparesNamesWithoutCaseAndTakesTheFirst) {
    Headers headers;
    headers.add("X-One", "1");
    headers.add("x-one", "2");
    EXPECT_EQ(headers.find("X-ONE"), "1");
    EXPECT_EQ(headers.find("X-Two"), std::nullopt);
}

TEST(Headers, SetReplacesAllOfThatName) {
    Headers headers;
    headers.add("A", "1");
    headers.add("a", "2");
    headers.set("A", "3");
    EXPECT_EQ(headers.fields().size(), 1U);
    EXPECT_EQ(headers.find("a"), "3");
}

TEST(Headers, HasTokenLooksIntoEveryFieldOfThatName) {
    Headers headers;
    headers.add("Connection", " keep-alive ,\tX-Hop");
    headers.add("Connection", "Close");
    EXPECT_TRUE(headers.has_token("connection", "close"));
    EXPECT_TRUE(headers.has_token("connection", "x-hop"));
    EXPECT_FALSE(headers.has_token("connection", "hop"));
    EXPECT_FALSE(headers.has_token("connection", ""));
}

TEST(Headers, HopByHopFieldsGoAndThoseThatConnectionNames) {
    Headers headers;
    for (const char* name : {"Host", "TE", "Keep-Alive", "X-Hop", "transfer-encoding", "Upgrade"}) {
        headers.add(name, "v");
    }
    headers.add("Connection", "x-hop, close");
    erase_hop_by_hop(headers);
    EXPECT_EQ(names_of(headers), std::vector<std::string>{"Host"});
}

TEST(Headers, AnEmptyConnectionElementNamesNothing) {
    Headers headers;
    headers.add("Connection", ",close,");
    headers.add("X-Kept", "v");
    erase_hop_by_hop(headers);
    EXPECT_EQ(names_of(headers), std::vector<std::string>{"X-Kept"});
}

TEST(Headers, AValueCannotBeginALineOfItsOwn) {
    std::string out;
    append_field(out, "X-A", "1\r\nX-Evil: 2\n\0\x7f\tend \xc3\xa9");
    EXPECT_EQ(out, "X-A: 1  X-Evil: 2 \r\n") << "a C string ends at its NUL";
    out.clear();
    append_field(out, "X\r\n-A", std::string_view("a\0b\x7f\tc\xc3\xa9", 8));
    EXPECT_EQ(out, "X  -A: a b \tc\xc3\xa9\r\n");
}

}  // namespace
}  // namespace orch::net
