import re
import unittest

import documents

PAGE = documents.ROOT / "docs/security-review.md"
GTEST = re.compile(r"\bTEST(?:_F|_P)?\((\w+), (\w+)\)")


def cpp_tests():
    files = [p for folder in ("src", "tests") for p in (documents.ROOT / folder).rglob("*_test.cpp")]
    return {".".join(pair) for path in files for pair in GTEST.findall(path.read_text())}


def python_tests():
    files = (documents.ROOT / "tests/e2e").glob("test_*.py")
    return {name for path in files for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)}


def body_of(path, function):
    text = (documents.ROOT / path).read_text()
    return text[text.index(function):].split("\n}\n", 1)[0]


class SecurityReview(unittest.TestCase):
    def test_the_tests_that_it_names_exist(self):
        known = cpp_tests() | python_tests()
        rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "---" not in line]
        criteria = [row.split(" | ") for row in rows if "| shown by |" not in row]
        self.assertGreater(len(criteria), 20)
        for criterion, _, shown in criteria:
            with self.subTest(criterion=criterion):
                named = {name for name in re.findall(r"`([^`]+)`", shown) if not name.endswith(".py")}
                self.assertTrue(named)
                self.assertLessEqual(named, known)

    def test_tokens_are_compared_whole_and_with_every_token(self):
        for path, function in (("src/auth/tokens.cpp", "bool TokenSet::contains("),
                               ("src/auth/token_ring.cpp", "TokenRing::match(")):
            body = body_of(path, function)
            loop = body[body.index("for ("):].split("\n    }\n", 1)[0]
            with self.subTest(function=function):
                self.assertIn("constant_time_equal(", loop)
                self.assertIsNone(re.search(r"\b(return|break|continue)\b|==", loop))
        self.assertIn("CRYPTO_memcmp", body_of("src/base/digest.cpp", "bool constant_time_equal("))


if __name__ == "__main__":
    unittest.main()
