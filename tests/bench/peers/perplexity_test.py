import unittest
from pathlib import Path

from perplexity import parse_perplexity
from process import PeersError

SAID = """\
perplexity: calculating perplexity over 23 chunks, n_ctx=128, batch_size=128, n_seq=1
[1]12.0690,[2]11.8715,
Final estimate: PPL = 12.3456 +/- 0.44192
"""


class PerplexityTest(unittest.TestCase):
    def test_the_second_half_of_each_chunk_counts_but_for_its_last_token(self):
        self.assertEqual(parse_perplexity(SAID, Path("LICENSE"), 128),
                         {"perplexity": 12.3456, "tokens": 23 * 63})

    def test_a_short_text_is_named(self):
        with self.assertRaisesRegex(PeersError, "^note.txt: too short"):
            parse_perplexity("perplexity: you need at least 512 tokens to", Path("note.txt"), 256)

    def test_no_estimate_is_an_error(self):
        with self.assertRaisesRegex(PeersError, "printed no final estimate"):
            parse_perplexity("Unexpected negative standard deviation", Path("LICENSE"), 128)


if __name__ == "__main__":
    unittest.main()
