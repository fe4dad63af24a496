import io
import unittest

from progress import LINE_WIDTH, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class ProgressTest(unittest.TestCase):
    def test_a_file_gets_a_line_a_step(self):
        stream = io.StringIO()
        progress = Progress(2, stream)
        progress.step("first")
        progress.detail("half of it")
        progress.step("second")
        progress.clear()
        self.assertEqual(stream.getvalue(), "[1/2] first\n[2/2] second\n")

    def test_a_terminal_has_one_line_that_is_drawn_again(self):
        stream = Terminal()
        progress = Progress(4, stream)
        progress.step("first")
        progress.step("second")
        progress.step("third")
        progress.detail("chunk 1 of 2")
        last = stream.getvalue().split("\r\033[K")[-1]
        self.assertEqual(last, "[############............] 2/4 0:00 third: chunk 1 of 2")
        self.assertNotIn("\n", stream.getvalue())

    def test_what_is_said_stays_and_the_line_fits(self):
        stream = Terminal()
        progress = Progress(1, stream)
        progress.step("x" * 300)
        progress.say("left out")
        drawn, said = stream.getvalue().split("\r\033[K")[1:]
        self.assertEqual(len(drawn), LINE_WIDTH)
        self.assertEqual(said, "left out\n")


if __name__ == "__main__":
    unittest.main()
