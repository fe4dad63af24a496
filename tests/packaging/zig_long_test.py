"""A machine without a compiler, and what `pip install carat[compiler]` makes of it.

zig builds its C++ library for each processor it compiles for, once: most of this test's time where
ZIG_GLOBAL_CACHE_DIR is empty.
"""

import os
import pathlib
import tempfile
import unittest

import environment
from environment import clean_variables, run


class ZigTest(unittest.TestCase):
    def test_compiling_without_any_other_compiler(self) -> None:
        venv = environment.Environment([*environment.DEPENDENCIES, "ziglang"])
        self.addCleanup(venv.close)
        venv.install(environment.wheel())
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        without_compiler = clean_variables(
            PATH="/nowhere",
            HOME=str(folder),
            ZIG_GLOBAL_CACHE_DIR=os.environ["ZIG_GLOBAL_CACHE_DIR"],
        )
        model = folder / "demo"
        # Not for this processor, which is what zig compiles for unless it is told.
        run(
            venv.bin / "carat",
            "compile",
            environment.DEMO,
            "--target",
            "generic",
            "-o",
            model,
            env=without_compiler,
        )
        answer = run(
            venv.bin / "carat",
            "generate",
            model,
            "--temperature",
            "0",
            "--prompt",
            "What is 12 plus 30?",
        )
        self.assertEqual(answer.stdout, "12 plus 30 is 42.\n")
        if os.uname().machine == "x86_64":
            code = run("objdump", "--disassemble", "--no-show-raw-insn", model / "model.so").stdout
            self.assertNotIn("%ymm", code)

    def test_with_none_the_environments_pip_is_named(self) -> None:
        venv = environment.Environment(environment.DEPENDENCIES)
        self.addCleanup(venv.close)
        venv.install(environment.wheel())
        refused = run(
            venv.bin / "carat",
            "compile",
            environment.DEMO,
            "-o",
            venv.folder / "demo",
            check=False,
            env=clean_variables(PATH="/nowhere"),
        )
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"'{venv.python} -m pip install ziglang'", refused.stderr)
        self.assertFalse((venv.folder / "demo").exists())


if __name__ == "__main__":
    unittest.main()
