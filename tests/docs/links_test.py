import unittest

import documents


def broken_links(page):
    for link in documents.links(page.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            yield link
        elif anchor and target.suffix == ".md" and anchor not in documents.anchors(target.read_text()):
            yield link


class Links(unittest.TestCase):
    def test_every_relative_link_leads_somewhere(self):
        pages = documents.pages()
        self.assertIn(documents.ROOT / "README.md", pages)
        for page in pages:
            with self.subTest(page=str(page.relative_to(documents.ROOT))):
                self.assertEqual([], list(broken_links(page)))

    def test_the_readme_leads_to_every_page_of_docs(self):
        linked = set(documents.links((documents.ROOT / "README.md").read_text()))
        for page in (documents.ROOT / "docs").glob("*.md"):
            self.assertIn("docs/" + page.name, linked)

    def test_every_room_has_a_readme(self):
        for lists in (documents.ROOT / "src").rglob("CMakeLists.txt"):
            room = lists.parent
            if "orch_library(" in lists.read_text() and "apps" not in room.parts:
                self.assertTrue((room / "README.md").is_file(), room)


if __name__ == "__main__":
    unittest.main()
