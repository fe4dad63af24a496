import contextlib
import io
import unittest

from arguments import command_line, parse_arguments


class ArgumentsTest(unittest.TestCase):
    def refused(self, *words: str) -> str:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit):
            parse_arguments(["--model", "m", *words])
        return said.getvalue()

    def test_lists_are_split_at_commas(self):
        arguments = parse_arguments(["--model", "m", "--threads", "1,2", "--depth", "0,4096"])
        self.assertEqual((arguments.threads, arguments.depth), ([1, 2], [0, 4096]))
        self.assertEqual(arguments.quantization, ["q4_0", "q4_0+q8_0"])

    def test_the_command_line_has_what_was_measured_and_no_folders(self):
        line = command_line(parse_arguments(
            ["--model", "/home/rosa/gemma-270m/", "--llama-cpp", "/home/rosa/llama.cpp",
             "--threads", "1,2", "--text", "/home/rosa/wiki.txt", "--output", "/tmp/out"]))
        self.assertEqual(
            line, "bench/peers/run --model gemma-270m --quantization q4_0,q4_0+q8_0 --threads 1,2 "
            "--pairs 5 --prompt-tokens 512 --gen-tokens 128 --depth 0 --text wiki.txt "
            "--context 256")
        again = parse_arguments(line.split()[1:])
        self.assertEqual(command_line(again), line)

    def test_four_pairs_are_too_few(self):
        self.assertIn("'4' is not a whole number from 5 on", self.refused("--pairs", "4"))

    def test_no_thread_and_half_a_thread_are_refused(self):
        self.assertIn("'0' is not a whole number from 1 on", self.refused("--threads", "1,0"))
        self.assertIn("'0.5' is not a whole number from 1 on", self.refused("--threads", "0.5"))

    def test_a_quantization_is_no_path(self):
        self.assertIn("'../q4_0' is not a quantization", self.refused("--quantization", "../q4_0"))


if __name__ == "__main__":
    unittest.main()
