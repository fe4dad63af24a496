import unittest

from example import example
from report import markdown, quality_table, rows, speed_table, three_digits


def words(text: str) -> str:
    """Without the line breaks."""
    return " ".join(text.split())


class ReportTest(unittest.TestCase):
    def test_a_result_has_a_row_for_prefill_and_one_for_decoding(self):
        prefill, decode = rows(example())
        self.assertEqual(prefill.work, "prefill of 512 after 4096")
        self.assertEqual((prefill.carat, prefill.llama_cpp), (1100.0, 500.0))
        self.assertEqual((prefill.ratio, prefill.ratio_min, prefill.ratio_max), (2.2, 2.0, 3.0))
        self.assertEqual(decode.work, "decode of 128 after 4096")
        self.assertEqual((decode.ratio_min, decode.ratio_max), (0.75, 1.125))

    def test_an_empty_context_is_not_mentioned(self):
        peers = example()
        peers["results"][0]["depth"] = 0
        self.assertEqual(rows(peers)[0].work, "prefill of 512")

    def test_rates_have_the_digits_that_runs_agree_in(self):
        self.assertEqual([three_digits(value) for value in (1296.2, 76.44, 2.128)],
                         ["1296", "76.4", "2.13"])

    def test_tables_have_as_many_cells_in_every_line(self):
        for table in (speed_table(example()), quality_table(example())):
            self.assertEqual(len({line.count("|") for line in table.splitlines()}), 1)

    def test_what_was_not_measured_is_said(self):
        self.assertIn("| q4_0 | not measured | 12.5 (254 tokens) | 198 of 200 (99.0%) | 1 of 2 |",
                      quality_table(example()))

    def test_the_command_and_the_machine_go_with_the_numbers(self):
        self.assertIn("    bench/peers/run --model gemma-270m", markdown(example()))
        text = words(markdown(example()))
        self.assertIn("gemma-270m on 2 cores of Ryzen <9>, x86-64-v3; Carat 0.1.0, llama.cpp "
                      "de3ff81 with flash attention on", text)

    def test_a_busy_machine_is_admitted(self):
        peers = example()
        self.assertNotIn("Other programs", words(markdown(peers)))
        peers["machine"]["load_average_before"] = 6.5
        self.assertIn("Other programs ran on the machine (load average 6.5)",
                      words(markdown(peers)))


if __name__ == "__main__":
    unittest.main()
