import tempfile
import unittest
from pathlib import Path

from build_llama_cpp import BUILD_PROGRESS, TARGETS, find_llama_cpp
from process import PeersError


class FindLlamaCppTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()

    def programs(self, below: str) -> None:
        (self.folder / below).mkdir(parents=True, exist_ok=True)
        for target in TARGETS:
            program = self.folder / below / target
            program.touch(mode=0o755)

    def test_the_programs_are_found_in_the_folder_and_in_bin_below_it(self):
        self.programs("build/bin")
        for named in (self.folder, self.folder / "build", self.folder / "build/bin"):
            found = find_llama_cpp(named)
            self.assertEqual(found.bench, self.folder / "build/bin/llama-bench")
            self.assertEqual(found.perplexity, self.folder / "build/bin/llama-perplexity")

    def test_one_of_the_two_is_not_enough(self):
        self.programs(".")
        (self.folder / "llama-perplexity").unlink()
        with self.assertRaisesRegex(PeersError, "has no llama-bench and llama-perplexity"):
            find_llama_cpp(self.folder)

    def test_progress_is_read_from_ninja_and_from_make(self):
        self.assertEqual(BUILD_PROGRESS.match("[12/137] Building CXX object a.o")[1], "12/137")
        self.assertEqual(BUILD_PROGRESS.match("[  8%] Building CXX object a.o")[1], "8%")
        self.assertIsNone(BUILD_PROGRESS.match("a.cc:1:2: warning: [12/137]"))


if __name__ == "__main__":
    unittest.main()
