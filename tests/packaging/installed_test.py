"""The wheel in a fresh virtual environment: the command, the package, and where they look for libtvm_ffi.so."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import environment
from environment import VERSION, clean_variables, run


class InstalledTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.venv = environment.Environment(environment.DEPENDENCIES)
        cls.addClassCleanup(cls.venv.close)
        cls.venv.install(environment.wheel())
        cls.carat = cls.venv.bin / "carat"
        cls.demo = os.environ["CARAT_COMPILED_DEMO"]

    @contextlib.contextmanager
    def conversation(self, command: list, **variables: str):
        """`carat chat`, which has answered once and waits for a line."""
        with tempfile.TemporaryDirectory() as home:
            process = subprocess.Popen(
                [*map(str, command), "chat", self.demo, "--temperature", "0"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=clean_variables(XDG_STATE_HOME=home, **variables),
            )
            try:
                process.stdin.write("What is the capital of France?\n")
                process.stdin.flush()
                answer = ""
                while "Paris" not in answer and (character := process.stdout.read(1)):
                    answer += character
                self.assertIn("Paris", answer)
                yield process
            finally:
                process.kill()
                process.communicate()

    def variables_of(self, process: subprocess.Popen) -> dict[str, str]:
        text = pathlib.Path(f"/proc/{process.pid}/environ").read_bytes().decode()
        return dict(entry.split("=", 1) for entry in text.split("\0") if entry)

    def test_what_it_needs_is_there(self) -> None:
        self.assertIn("No broken requirements", self.venv.pip("check"))

    def test_command_module_package_and_library_say_one_version(self) -> None:
        self.assertEqual(run(self.carat, "--version").stdout, f"carat {VERSION}\n")
        self.assertEqual(
            run(self.venv.python, "-m", "carat", "--version").stdout, f"carat {VERSION}\n"
        )
        printed = run(
            self.venv.python,
            "-c",
            "import carat; print(carat.__version__); "
            "from carat._native import function; print(function('version')())",
        ).stdout
        self.assertEqual(printed.split(), [VERSION, VERSION])

    def test_it_compiles_a_model_and_answers_with_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            model = pathlib.Path(folder) / "demo"
            run(self.carat, "compile", environment.DEMO, "-o", model)
            answer = run(
                self.carat,
                "generate",
                model,
                "--temperature",
                "0",
                "--prompt",
                "What is 12 plus 30?",
            )
            self.assertEqual(answer.stdout, "12 plus 30 is 42.\n")

    def test_the_command_becomes_the_program(self) -> None:
        for command in ([self.carat], [self.venv.python, "-m", "carat"]):
            with self.conversation(command) as process:
                self.assertEqual(
                    pathlib.Path(f"/proc/{process.pid}/exe").resolve(),
                    (self.venv.packages / "carat" / "_native" / "carat").resolve(),
                )
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(timeout=20), -signal.SIGTERM)

    def test_exit_codes_are_the_programs(self) -> None:
        for arguments, code in (
            (["no-such-command"], 2),
            (["inspect", "/no/such/model"], 1),
            (["--help"], 0),
        ):
            for command in ([self.carat], [self.venv.python, "-m", "carat"]):
                self.assertEqual(run(*command, *arguments, check=False).returncode, code, arguments)

    def test_the_command_waits_for_nothing_that_it_does_not_need(self) -> None:
        imported = run(self.venv.python, "-X", "importtime", "-m", "carat", "--version").stderr
        modules = {line.rsplit("|", 1)[-1].strip() for line in imported.splitlines()}
        self.assertIn("carat._installation", modules)
        self.assertFalse(
            modules
            & {"tvm_ffi", "carat._native", "carat._version", "pydantic", "importlib.metadata"}
        )

    def test_the_program_knows_the_python_it_was_started_from(self) -> None:
        doctor = json.loads(run(self.carat, "doctor", "--json").stdout)
        commands = [compiler["command"] for compiler in doctor["compilers"]]
        self.assertIn([str(self.venv.python), "-m", "ziglang", "c++"], commands)
        self.assertIn(["python3", "-m", "ziglang", "c++"], commands)

    def test_libtvm_ffi_beside_it_is_found_without_ld_library_path(self) -> None:
        with self.conversation([self.carat]) as process:
            self.assertNotIn("LD_LIBRARY_PATH", self.variables_of(process))

    def test_libtvm_ffi_elsewhere_on_pythons_path_is_found(self) -> None:
        with contextlib.ExitStack() as stack:
            here, there = (
                pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)
            )
            bare = environment.Environment([])
            stack.callback(bare.close)
            bare.install("--no-deps", "--target", here, environment.wheel())
            python = [bare.python, "-m", "carat"]
            missing = run(
                *python, "--version", check=False, env=clean_variables(PYTHONPATH=str(here))
            )
            self.assertEqual(missing.returncode, 1)
            self.assertRegex(
                missing.stderr,
                r"\Acarat: .*tvm_ffi is not installed; run: .* install apache-tvm-ffi\n\Z",
            )
            for name in ("apache-tvm-ffi", "typing-extensions"):
                environment.link_distribution(name, there)
            variables = {"PYTHONPATH": f"{here}:{there}", "LD_LIBRARY_PATH": "/mine"}
            with self.conversation(python, **variables) as process:
                self.assertEqual(
                    self.variables_of(process)["LD_LIBRARY_PATH"], f"{there}/tvm_ffi/lib:/mine"
                )
            loaded = run(
                bare.python,
                "-c",
                "from carat._native import function; print(function('version')())",
                env=clean_variables(**variables),
            )
            self.assertEqual(loaded.stdout, f"{VERSION}\n")

    def test_a_target_folder_with_both_works(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            self.venv.install("--no-deps", "--target", folder, environment.wheel())
            for name in ("apache-tvm-ffi", "typing-extensions"):
                environment.link_distribution(name, folder)
            bare = environment.Environment([])
            self.addCleanup(bare.close)
            command = [bare.python, folder / "bin" / "carat"]
            with self.conversation(command, PYTHONPATH=str(folder)) as process:
                self.assertNotIn("LD_LIBRARY_PATH", self.variables_of(process))


if __name__ == "__main__":
    unittest.main()
