import unittest

from pairs import Peer, by_turns, paired, summarize


class PairsTest(unittest.TestCase):
    def test_the_order_alternates_so_that_neither_is_always_first(self):
        self.assertEqual(
            list(by_turns(3)),
            [(0, Peer.LLAMA_CPP), (0, Peer.CARAT), (1, Peer.CARAT), (1, Peer.LLAMA_CPP),
             (2, Peer.LLAMA_CPP), (2, Peer.CARAT)])

    def test_the_median_of_an_even_count_lies_between_the_middle_two(self):
        summary = summarize([4.0, 1.0, 2.0, 8.0])
        self.assertEqual((summary.median, summary.min, summary.max), (3.0, 1.0, 8.0))

    def test_ratios_are_taken_within_pairs(self):
        # The machine became twice as slow after the first pair, which the medians' ratio would
        # show only by chance.
        series = paired(llama_cpp=[400.0, 200.0, 200.0], carat=[800.0, 400.0, 500.0])
        self.assertEqual(series["ratio"]["pairs"], [2.0, 2.0, 2.5])
        self.assertEqual(series["ratio"]["median"], 2.0)
        self.assertEqual(series["ratio"]["max"], 2.5)
        self.assertEqual(series["llama_cpp"]["median"], 200.0)
        self.assertEqual(series["carat"]["pairs"], [800.0, 400.0, 500.0])

    def test_a_run_without_its_partner_is_refused(self):
        with self.assertRaises(ValueError):
            paired([1.0, 2.0], [1.0])


if __name__ == "__main__":
    unittest.main()
