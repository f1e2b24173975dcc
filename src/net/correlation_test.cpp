#include "net/correlation.hpp"

#include <gtest/gtest.h>

#include <string>

namespace orch::net {
namespace {

constexpr std::string_view kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Headers with(std::string_view name, std::string_view value) {
    Headers headers;
    headers.add(name, value);
    return headers;
}

TEST(Correlation, AValidIdIsKept) {
    Rng rng(1);
    EXPECT_EQ(correlation_of(with("x-correlation-id", "a.B_9-z"), rng).str(), "a.B_9-z");
    const std::string longest(64, 'x');
    EXPECT_EQ(correlation_of(with("X-Correlation-Id", longest), rng).str(), longest);
}

TEST(Correlation, AnAbsentOrInvalidIdIsReplacedByAUuid) {
    Rng rng(1);
    for (const std::string& sent :
         {std::string(), std::string(65, 'x'), std::string("a b"), std::string("a;b")}) {
        const std::string made = correlation_of(with("X-Correlation-Id", sent), rng).str();
        EXPECT_EQ(made.size(), 36U) << sent;
        EXPECT_EQ(made[14], '4') << made;
    }
    EXPECT_NE(correlation_of({}, rng), correlation_of({}, rng));
}

TEST(Traceparent, AWellFormedOneIsKept) {
    Rng rng(1);
    EXPECT_EQ(traceparent_of(with("Traceparent", kTrace), rng), kTrace);
    EXPECT_EQ(trace_id_of(kTrace), "0af7651916cd43dd8448eb211c80319c");
}

TEST(Traceparent, AMalformedOneIsReplacedByAWellFormedOne) {
    Rng rng(1);
    std::string upper(kTrace);
    upper[3] = 'A';
    std::string zero_trace(kTrace);
    zero_trace.replace(3, 32, 32, '0');
    std::string zero_parent(kTrace);
    zero_parent.replace(36, 16, 16, '0');
    std::string version(kTrace);
    version[1] = 'f';
    for (const std::string& sent :
         {std::string(),
          upper,
          zero_trace,
          zero_parent,
          version,
          std::string(kTrace) + "0",
          std::string(kTrace.substr(1))}) {
        const std::string made = traceparent_of(with("traceparent", sent), rng);
        EXPECT_NE(made, sent);
        EXPECT_EQ(trace_id_of(made).size(), 32U) << made;
        EXPECT_TRUE(trace_id_of(sent).empty()) << sent;
    }
}

}  // namespace
}  // namespace orch::net
