#include "base/digest.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace orch {
namespace {

constexpr std::string_view kEmpty =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

// FIPS 180-4 examples.
TEST(Sha256, KnowsTheStandardsExamples) {
    EXPECT_EQ(sha256_hex(""), kEmpty);
    EXPECT_EQ(sha256_hex("abc"), kAbc);
    EXPECT_EQ(
        sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    );
}

TEST(Sha256, HashesAStreamLikeTheWhole) {
    Sha256 hash;
    hash.update("a");
    hash.update("");
    hash.update("bc");
    EXPECT_EQ(hex(hash.finish()), kAbc);
    EXPECT_EQ(hex(hash.finish()), kEmpty);
    Sha256 moved = std::move(hash);
    moved.update("abc");
    EXPECT_EQ(hex(moved.finish()), kAbc);
}

// RFC 4231, test cases 2 and 6 (a key longer than a block).
TEST(HmacSha256, KnowsTheStandardsExamples) {
    EXPECT_EQ(
        hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    EXPECT_EQ(
        hex(hmac_sha256(
            std::string(131, '\xAA'), "Test Using Larger Than Block-Size Key - Hash Key First"
        )),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
    EXPECT_EQ(
        hex(hmac_sha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
    );
}

TEST(ConstantTimeEqual, ComparesContentAndLength) {
    EXPECT_TRUE(constant_time_equal("", ""));
    EXPECT_TRUE(constant_time_equal("secret", "secret"));
    EXPECT_FALSE(constant_time_equal("secret", "secreT"));
    EXPECT_FALSE(constant_time_equal("secret", "secret "));
    EXPECT_FALSE(constant_time_equal("", "x"));
    EXPECT_TRUE(constant_time_equal(sha256("a"), sha256("a")));
    EXPECT_FALSE(constant_time_equal(sha256("a"), sha256("b")));
}

TEST(SecureRandom, GivesTheBytesAskedForAndNeverTheSame) {
    const auto first = secure_random(32);
    const auto second = secure_random(32);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->size(), 32U);
    EXPECT_NE(*first, *second);
    EXPECT_EQ(secure_random(0)->size(), 0U);
}

TEST(SecureRandom, GivesHex) {
    const auto text = secure_random_hex(16);
    ASSERT_TRUE(text);
    EXPECT_EQ(text->size(), 32U);
    EXPECT_EQ(text->find_first_not_of("0123456789abcdef"), std::string::npos);
}

}  // namespace
}  // namespace orch
