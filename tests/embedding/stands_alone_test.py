"""That a compiled library and the examples need the TVM FFI alone, and of it what 0.1.0 has already.

    stands_alone_test.py DIST_FOLDER EXAMPLES
"""

import re
import subprocess
import sys
import unittest
from pathlib import Path

LIBRARY, EXAMPLES = Path(sys.argv[1]) / "model.so", Path(sys.argv[2])
OLDEST_TVM_FFI = Path(__file__).with_name("tvm_ffi_0.1.0_functions.txt")
SYSTEM_LIBRARIES = r"lib(stdc\+\+|c\+\+|c\+\+abi|gcc_s|unwind|m|c|pthread)\.so\.\d+|ld-linux.*"


def output(*command) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


class StandsAlone(unittest.TestCase):
    def test_a_library_needs_only_functions_that_the_oldest_tvm_ffi_has(self):
        undefined = {line.split()[-1] for line in
                     output("nm", "-D", "--undefined-only", LIBRARY).splitlines()}
        needed = {symbol for symbol in undefined if "tvm" in symbol.lower()}
        self.assertIn("TVMFFIStringFromByteArray", needed)  # what is looked for is there
        self.assertLessEqual(needed, set(OLDEST_TVM_FFI.read_text().splitlines()))

    def test_a_library_needs_no_library_but_the_tvm_ffi_and_the_systems(self):
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", LIBRARY))
        self.assertIn("libtvm_ffi.so", needed)
        others = [name for name in needed if not re.fullmatch(SYSTEM_LIBRARIES, name)]
        self.assertEqual(others, ["libtvm_ffi.so"])

    def test_the_examples_use_nothing_of_carat(self):
        sources = [path for path in EXAMPLES.rglob("*") if path.suffix in (".cc", ".py", ".rs")]
        self.assertEqual(len(sources), 3)
        for source in sources:
            self.assertNotRegex(source.read_text(), r"(?i)(include|import|use|from)\s+[\"<]?carat")

    def test_the_cpp_example_has_less_than_100_lines(self):
        self.assertLess(len((EXAMPLES / "cpp" / "greedy.cc").read_text().splitlines()), 100)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
