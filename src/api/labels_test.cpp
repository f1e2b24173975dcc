#include "api/labels.hpp"

#include <gtest/gtest.h>

#include <string>

namespace orch::api {
namespace {

std::string complaint(const std::string& text) {
    const auto read = parse_labels(text, "X-Here");
    return read ? "" : read.error().message;
}

TEST(Labels, AreNamesAndValues) {
    const Labels wanted{{"empty", ""}, {"tier", "x=y"}, {"zone", "a"}};
    EXPECT_EQ(parse_labels(" zone=a , tier=x=y,,empty=", "X-Here").value(), wanted);
    EXPECT_TRUE(parse_labels("", "X-Here").value().empty());
}

TEST(Labels, SayWhichItemIsWrong) {
    EXPECT_TRUE(complaint("zone").starts_with("X-Here: 'zone' is not of the form name=value"));
    EXPECT_TRUE(complaint("a=b,=c").starts_with("X-Here: '=c' is not"));
    EXPECT_TRUE(complaint("z one=a").starts_with("X-Here: 'z one=a' is not"));
    EXPECT_EQ(complaint("a=b,a=c"), "X-Here: 'a' is there twice");
    EXPECT_EQ(
        complaint("a=" + std::string(kMaxLabelValue + 1, 'x')),
        "X-Here: the value of 'a' has more than 256 bytes"
    );
    std::string many;
    for (std::size_t i = 0; i <= kMaxLabels; ++i) {
        many += std::to_string(i) + "=,";
    }
    EXPECT_EQ(complaint(many), "X-Here: there are more than 64 labels");
}

}  // namespace
}  // namespace orch::api
