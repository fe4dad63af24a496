import tempfile
import unittest
from pathlib import Path

from models import Quantization, check_checkpoint, compile_gguf, export_gguf, model_pair
from process import PeersError

# Writes down how it is called, to the file after -o.
FAKE_CARAT = """#!/bin/sh
words="$*"
while [ "$1" != -o ]; do shift; done
echo "$words" >"$2"
"""


class ModelsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_both_programs_get_the_bits_of_one_file(self):
        carat = self.folder / "carat"
        carat.write_text(FAKE_CARAT)
        carat.chmod(0o755)
        pair = model_pair(self.folder / "models", Quantization("q4_0+q8_0"))
        export_gguf(carat, Path("gemma"), pair)
        self.assertEqual(pair.gguf.read_text(),
                         "export gemma --format gguf --quantization q4_0 "
                         f"--embedding-quantization q8_0 -o {pair.gguf}\n")
        compile_gguf(carat, pair)
        self.assertEqual(pair.compiled.read_text(), f"compile {pair.gguf} -o {pair.compiled}\n")

    def test_one_quantization_for_all_has_no_flag_for_the_embedding(self):
        self.assertEqual(Quantization("q4_0").export_flags(), ["--quantization", "q4_0"])

    def test_a_folder_without_a_checkpoint_is_refused(self):
        (self.folder / "config.json").touch()
        with self.assertRaisesRegex(PeersError, "has no tokenizer.json"):
            check_checkpoint(self.folder)


if __name__ == "__main__":
    unittest.main()
