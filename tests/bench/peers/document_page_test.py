import json
import unittest
from pathlib import Path

from document_page import PAGES, with_tables
from draw import draw
from example import example
from report import memory_table, speed_table

SOURCE = Path(__file__).resolve().parents[3]


class DocumentPageTest(unittest.TestCase):
    def test_tables_replace_what_stood_between_the_marks_and_nothing_else(self):
        page = ("before\n<!-- peers: speed -->\nold\n<!-- end of peers -->\nbetween\n"
                "<!-- peers: memory -->\n<!-- end of peers -->\nafter\n")
        written = with_tables(page, example())
        self.assertNotIn("old", written)
        for part in ("before\n<!--", "-->\nbetween\n<!--", "-->\nafter\n", speed_table(example()),
                     memory_table(example())):
            self.assertIn(part, written)
        self.assertEqual(with_tables(written, example()), written)

    def test_the_documentation_shows_what_was_measured(self):
        measured = SOURCE / "docs/images/peers.json"
        peers = json.loads(measured.read_text())
        self.assertEqual(measured.with_suffix(".svg").read_text(encoding="utf-8"), draw(peers))
        for name in PAGES:
            page = (SOURCE / name).read_text(encoding="utf-8")
            self.assertIn("<!-- peers: speed -->", page)
            self.assertEqual(page, with_tables(page, peers), f"{name}: run bench/peers/document")


if __name__ == "__main__":
    unittest.main()
