"""That Python loses no memory of Carat's, and does nothing wrong with it, under valgrind's memcheck.

    valgrind_test.py MODEL FOLDER

FOLDER is where MODEL is compiled to, for x86-64-v3: valgrind 3.19, which Debian 12 has, knows no AVX-512.
What counts is what happens in libcarat.so and in the compiled library, or was allocated there. Exits with
77 where there is no valgrind.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

MODEL, FOLDER = sys.argv[1], sys.argv[2]
SCRIPT = Path(__file__).with_name("use_everything.py")
OURS = ("libcarat.so", "model.so")
SKIPPED = 77


def describe(error: ElementTree.Element) -> str:
    what = error.findtext("what") or error.findtext("xwhat/text")
    frames = [
        f"    {frame.findtext('fn')} in {frame.findtext('obj')}" for frame in error.iter("frame")
    ]
    return "\n".join([f"{error.findtext('kind')}: {what}", *frames])


def errors_of_ours(*flags: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [
                "valgrind",
                "--quiet",
                "--xml=yes",
                f"--xml-file={report}",
                "--leak-check=full",
                "--show-leak-kinds=definite",
                "--num-callers=40",
                "--fair-sched=yes",
                "--keep-debuginfo=yes",  # of libraries that are unloaded when leaks are looked for
                sys.executable,
                SCRIPT,
                MODEL,
                FOLDER,
                "--target",
                "x86-64-v3",
                *flags,
            ],
            env=os.environ | {"PYTHONMALLOC": "malloc"},
            check=True,
        )
        errors = ElementTree.parse(report).getroot().findall("error")
    return [
        describe(error)
        for error in errors
        if any((frame.findtext("obj") or "").endswith(OURS) for frame in error.iter("frame"))
    ]


class Valgrind(unittest.TestCase):
    def test_everything_gives_its_memory_back(self):
        errors = errors_of_ours("--rounds", "1", "--num-threads", "1")
        self.assertEqual(errors, [], "\n\n".join(errors))

    def test_sees_an_object_that_is_lost(self):
        errors = errors_of_ours("--plant-leak", "--num-threads", "1")
        self.assertTrue(any(error.startswith("Leak_DefinitelyLost") for error in errors), errors)


if __name__ == "__main__":
    if shutil.which("valgrind") is None:
        print("valgrind is not installed")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1])
