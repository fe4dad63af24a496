import random
import unittest
from array import array

from greedy import EXPLAINED_RMS, compare_position, rms_difference, summarize
from logits_file import log_probabilities

VOCAB = 4000


def logits(first: float, second: float, seed: int = 1) -> list[float]:
    """Of a vocabulary whose tokens 10 and 20 stand above the rest."""
    generator = random.Random(seed)
    values = [generator.uniform(-4.0, 4.0) for _ in range(VOCAB)]
    values[10], values[20] = first, second
    return values


def rounded(values: list[float], rms: float, constant: float = 3.0) -> list[float]:
    """As another program would compute them; a constant more does not change what it chooses."""
    generator = random.Random(2)
    return [value + constant + generator.gauss(0.0, rms) for value in values]


class GreedyTest(unittest.TestCase):
    def test_the_same_choice_is_no_disagreement(self):
        values = logits(6.0, 5.9)
        self.assertIsNone(compare_position(log_probabilities(values), array("f", values), 0, 0))

    def test_tokens_as_likely_as_the_first_are_the_same_choice(self):
        saved = log_probabilities(logits(6.0, 6.0))
        self.assertIsNone(compare_position(saved, array("f", logits(6.0, 6.01)), 0, 0))

    def test_the_difference_is_measured_without_the_constant(self):
        values = logits(6.0, 5.9)
        rms = rms_difference(log_probabilities(values), array("f", rounded(values, 0.05)))
        self.assertAlmostEqual(rms, 0.05, delta=0.01)

    def test_near_ties_are_explained_by_the_difference_of_the_logits(self):
        mine = rounded(logits(6.0, 6.0), 0.05)
        mine[10], mine[20] = 9.0, 9.1
        found = compare_position(log_probabilities(logits(6.05, 6.0)), array("f", mine), 3, 200)
        self.assertEqual((found.chunk, found.position, found.llama_cpp, found.carat),
                         (3, 200, 10, 20))
        self.assertAlmostEqual(found.llama_cpp_gap, 0.05, delta=0.001)
        self.assertAlmostEqual(found.carat_gap, 0.1, delta=0.001)
        self.assertTrue(found.explained)

    def test_another_choice_far_from_a_tie_is_not_explained(self):
        mine = rounded(logits(6.0, 6.0), 0.05)
        mine[10], mine[20] = 9.0, 9.0 + 2 * EXPLAINED_RMS * 0.05
        found = compare_position(log_probabilities(logits(6.05, 6.0)), array("f", mine), 0, 0)
        self.assertFalse(found.explained)

    def test_the_summary_counts_what_it_lists(self):
        mine = rounded(logits(6.0, 6.0), 0.05)
        mine[10], mine[20] = 9.0, 9.1
        found = compare_position(log_probabilities(logits(6.05, 6.0)), array("f", mine), 0, 0)
        summary = summarize(100, [found])
        counts = [summary[name] for name in ("positions", "same", "explained")]
        self.assertEqual(counts, [100, 99, 1])
        self.assertEqual(summary["disagreements"][0]["carat"], 20)
        self.assertTrue(summary["disagreements"][0]["explained"])


if __name__ == "__main__":
    unittest.main()
