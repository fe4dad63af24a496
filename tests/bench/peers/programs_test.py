import json
import unittest

from process import Finished, PeersError
from programs import parse_carat_bench, parse_llama_bench

LLAMA_BENCH = json.dumps([
    {"n_prompt": 512, "n_gen": 0, "avg_ts": 422.5},
    {"n_prompt": 0, "n_gen": 128, "avg_ts": 76.25},
])
LINES = [
    (0.1, "warning: no usable GPU found"),
    (0.25, "llama-bench: benchmark 1/2: starting"),
    (0.75, "llama-bench: benchmark 1/2: warmup prompt run"),
    (2.0, "llama-bench: benchmark 2/2: starting"),
    (2.5, "llama-bench: benchmark 2/2: warmup generation run"),
]
CARAT_BENCH = json.dumps({
    "load_s": 0.125, "peak_memory_bytes": 1,
    "prefill": {"tokens": 512, "tokens_per_s": 1296.0, "min": 1296.0, "max": 1296.0},
    "decode": {"tokens": 128, "tokens_per_s": 130.0, "min": 130.0, "max": 130.0},
})


class ProgramsTest(unittest.TestCase):
    def test_llama_benchs_tests_are_told_apart_by_what_they_run(self):
        sample = parse_llama_bench(Finished(LLAMA_BENCH, LINES, 3.0, 1000))
        self.assertEqual((sample.prefill, sample.decode), (422.5, 76.25))
        self.assertEqual(sample.peak_memory_bytes, 1000)

    def test_llama_benchs_load_time_is_what_it_says_between_start_and_warmup(self):
        self.assertEqual(parse_llama_bench(Finished(LLAMA_BENCH, LINES)).load_s, 0.5)

    def test_a_llama_bench_without_progress_lines_is_an_error(self):
        with self.assertRaisesRegex(PeersError, "printed no line with 'starting'"):
            parse_llama_bench(Finished(LLAMA_BENCH, LINES[:1]))

    def test_carats_memory_is_measured_as_llama_cpps(self):
        sample = parse_carat_bench(Finished(CARAT_BENCH, [], 3.0, 1000))
        self.assertEqual((sample.prefill, sample.decode, sample.load_s), (1296.0, 130.0, 0.125))
        self.assertEqual(sample.peak_memory_bytes, 1000)


if __name__ == "__main__":
    unittest.main()
