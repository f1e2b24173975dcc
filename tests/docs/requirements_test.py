"""The names in docs/spec/cloud-profile.md exist. Rows that say `open:` are counted and printed.

    python3 requirements_test.py --close     takes `open:` from the rows whose names all exist by now
"""
import re
import sys
import unittest
from pathlib import Path

import documents

PAGE = documents.ROOT / "docs/spec/cloud-profile.md"
ROW = re.compile(r"^\| (.+) \| (.*) \| (.+) \|$", re.MULTILINE)
NAME = re.compile(r"`([^`]+)`")
GTEST = re.compile(r"^(?:TEST|TEST_F|TEST_P)\(\s*(\w+),\s*(\w+)", re.MULTILINE)


def gtests():
    sources = [path for folder in ("src", "tests") for path in (documents.ROOT / folder).rglob("*.cpp")]
    return {"%s.%s" % found for path in sources for found in GTEST.findall(path.read_text())}


def exists(name, known):
    if "::" in name:
        file, _, function = name.partition("::")
        path = documents.ROOT / file
        return path.is_file() and re.search(r"^ *def %s\(" % re.escape(function), path.read_text(), re.MULTILINE) is not None
    if "/" in name or (documents.ROOT / name).exists():
        return (documents.ROOT / name).exists()
    return name in known


def rows(text):
    """(line, names, state, proofs) of each requirement; state is "", "open" or "later"."""
    for row in ROW.finditer(text):
        requirement, where, shown_by = row.groups()
        if shown_by == "shown by":
            continue
        state = re.match(r"(open|later): ", shown_by)
        places = [] if re.match(r"\| v\d", row[0]) else NAME.findall(where)
        yield row[0], places, state[1] if state else "", NAME.findall(shown_by)


def missing(places, proofs, known):
    return [name for name in places + proofs if not exists(name, known)]


class Requirements(unittest.TestCase):
    def test_every_name_exists(self):
        known, counted = gtests(), {"": 0, "open": 0, "later": 0}
        for row, places, state, proofs in rows(PAGE.read_text()):
            counted[state] += 1
            with self.subTest(row=row):
                if state == "":
                    self.assertTrue(proofs, "no proof")
                    self.assertEqual([], missing(places, proofs, known))
                if state == "open":
                    print("open: %s (%s)" % (row.split(" | ")[0][2:], ", ".join(missing(places, proofs, known)) or "nothing is missing"))
        print("requirements: %d shown, %d open, %d later" % (counted[""], counted["open"], counted["later"]))
        self.assertGreater(counted[""], 50)

    def test_the_milestones_are_there(self):
        text = PAGE.read_text()
        for version in ("v0.2.0", "v0.5.0", "v0.8.0", "v1.0.0", "v2.0.0"):
            self.assertRegex(text, r"(?m)^\| %s \|" % re.escape(version))

    def test_a_wrong_name_is_found(self):
        known = gtests()
        self.assertFalse(exists("NodeTableTest.NodeJoinss", known))
        self.assertFalse(exists("tests/docs/links_test.py::test_nothing", known))
        self.assertTrue(exists("NodeTableTest.NodeJoins", known))


def close():
    text, known = PAGE.read_text(), gtests()
    for row, places, state, proofs in rows(text):
        if state == "open" and not missing(places, proofs, known):
            text = text.replace(row, row.replace("| open: ", "| "))
    PAGE.write_text(text)


if __name__ == "__main__":
    close() if sys.argv[1:] == ["--close"] else unittest.main()
