import tempfile
import unittest
from pathlib import Path

from logits_file import write_saved
from process import PeersError
from saved_logits import SavedLogits

BOS = 2
CHUNKS = [[7, 8, 9, 10], [11, 12, 13, 14]]
# Of each chunk only position 2 is in the file: positions 0 and 1 are its first half, and after the
# last there is nothing to predict. An odd vocabulary is padded.
LOGITS = [[[1.0, -1.0, 0.5]], [[0.0, 2.0, -20.0]]]


class SavedLogitsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "logits"
        write_saved(self.path, CHUNKS, LOGITS)

    def test_each_chunk_begins_with_bos_and_has_its_own_rows(self):
        with SavedLogits(self.path) as saved:
            self.assertEqual(list(saved.positions()), [2])
            read = [(tokens, list(rows)) for tokens, rows in saved.chunks(BOS)]
        self.assertEqual([tokens for tokens, _ in read], [[2, 8, 9, 10], [2, 12, 13, 14]])
        self.assertEqual([len(rows) for _, rows in read], [1, 1])
        (first,), (second,) = (rows for _, rows in read)
        self.assertAlmostEqual(first.of(0) - first.of(1), 2.0, places=4)
        self.assertAlmostEqual(first.of(0) - first.of(2), 0.5, places=4)
        self.assertAlmostEqual(second.of(1) - second.of(0), 2.0, places=3)
        self.assertTrue(first.is_most_likely(0) and second.is_most_likely(1))
        self.assertFalse(first.is_most_likely(2))

    def test_tokens_far_below_the_first_have_level_zero(self):
        with SavedLogits(self.path) as saved:
            rows = [list(rows) for _, rows in saved.chunks(BOS)]
        self.assertEqual(rows[1][0].levels[2], 0)

    def test_another_file_is_refused(self):
        self.path.write_bytes(b"GGUF" + bytes(100))
        with self.assertRaisesRegex(PeersError, "not a file of llama-perplexity's logits"):
            SavedLogits(self.path)

    def test_a_file_that_ends_too_soon_is_an_error(self):
        self.path.write_bytes(self.path.read_bytes()[:-4])
        with SavedLogits(self.path) as saved, self.assertRaisesRegex(PeersError, "ends too soon"):
            for _, rows in saved.chunks(BOS):
                list(rows)


if __name__ == "__main__":
    unittest.main()
