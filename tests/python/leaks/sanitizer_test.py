"""That Python loses no memory of Carat's, and does nothing wrong with it, under AddressSanitizer.

    sanitizer_test.py MODEL FOLDER PRELOADED_LIBRARY...

CARAT_NATIVE is the folder of an instrumented libcarat.so, which needs the sanitizer's library to be in the
process before it. FOLDER is where MODEL is compiled to.
"""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

MODEL, FOLDER, PRELOADED = sys.argv[1], sys.argv[2], sys.argv[3:]
SCRIPT = Path(__file__).with_name("use_everything.py")
OURS = re.compile(r"\(\S*/(libcarat|libtvm_ffi|model)\.so\)|/tvm_ffi/core\.")


def use_everything(*flags: str) -> subprocess.CompletedProcess[str]:
    environment = (
        os.environ
        | {
            "LD_PRELOAD": " ".join(PRELOADED),
            "PYTHONMALLOC": "malloc",  # else Python's small objects would be out of the sanitizer's sight
            "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1"
            ":leak_check_at_exit=0"  # the script asks for it, before the interpreter's end
            ":stack_trace_format='    #%n in %f %S (%m)'",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
    )
    return subprocess.run(
        [sys.executable, SCRIPT, MODEL, FOLDER, *flags],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def leaks_of_ours(output: str) -> list[str]:
    """Other modules of Python's leave some memory too, pydantic's when it is imported."""
    leaks = re.findall(r"^(?:Direct|Indirect) leak of .*\n(?:    #.*\n)*", output, re.MULTILINE)
    return [leak for leak in leaks if OURS.search(leak)]


class Sanitizer(unittest.TestCase):
    def test_everything_gives_its_memory_back(self):
        done = use_everything("--rounds", "16")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("use_async_engine", done.stdout)
        self.assertEqual(leaks_of_ours(done.stdout), [])

    def test_sees_an_object_that_is_lost(self):
        leaks = leaks_of_ours(use_everything("--plant-leak").stdout)
        self.assertTrue(any("carat::ffi::ModelObj" in leak for leak in leaks), leaks)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
