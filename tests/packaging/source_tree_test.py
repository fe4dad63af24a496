"""A source tree: installed editably, used by CARAT_NATIVE without an installation, and neither."""

import pathlib
import shutil
import tempfile
import unittest

import environment
from environment import SOURCE, VERSION, clean_variables, run

# All of the source tree that pip reads when C++ is taken from a build folder.
NEEDED = [
    "pyproject.toml",
    "VERSION",
    "README.md",
    "LICENSE",
    "CMakeLists.txt",
    "cmake",
    "python",
    "tools/wheel",
]


def copy_source_tree(folder: pathlib.Path) -> None:
    for name in NEEDED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (SOURCE / name).is_dir():
            shutil.copytree(
                SOURCE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(SOURCE / name, folder / name)
    (folder / "carat" / "ffi").mkdir(parents=True)  # by which _version.py knows a source tree


class EditableTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.source = pathlib.Path(
            cls.enterClassContext(tempfile.TemporaryDirectory(prefix="carat-source-"))
        )
        copy_source_tree(cls.source)
        cls.venv = environment.Environment(
            environment.DEPENDENCIES + environment.BUILD_DEPENDENCIES
        )
        cls.addClassCleanup(cls.venv.close)
        cls.venv.install(
            "--no-build-isolation",
            "--editable",
            cls.source,
            f"--config-settings=cmake.define.CARAT_BUILT={environment.built()}",
        )

    def python(self, code: str, **options: object):
        return run(self.venv.python, "-c", code, **options)

    def test_command_and_package_work(self) -> None:
        self.assertEqual(run(self.venv.bin / "carat", "--version").stdout, f"carat {VERSION}\n")
        printed = self.python(
            "import carat; print(carat.__file__, carat.__version__); "
            "from carat._native import function; print(function('version')())"
        ).stdout
        self.assertEqual(
            printed.split(), [str(self.source / "python/carat/__init__.py"), VERSION, VERSION]
        )

    def test_a_changed_file_and_a_new_one_count_at_once(self) -> None:
        with open(self.source / "python/carat/errors.py", "a", encoding="utf-8") as file:
            file.write("\nCHANGED = 'changed'\n")
        (self.source / "python/carat/added.py").write_text("ADDED = 'added'\n", encoding="utf-8")
        printed = self.python(
            "import carat.added, carat.errors; print(carat.errors.CHANGED, carat.added.ADDED)"
        )
        self.assertEqual(printed.stdout, "changed added\n")

    def test_another_version_than_the_librarys_is_refused(self) -> None:
        version = self.source / "VERSION"
        version.write_text("9.8.7\n", encoding="utf-8")
        self.addCleanup(version.write_text, f"{VERSION}\n", encoding="utf-8")
        refused = self.python("import carat._native", check=False)
        self.assertRegex(
            refused.stderr.splitlines()[-1],
            rf"VersionMismatchError: .* 9\.8\.7, .* {VERSION}; run pip install",
        )


class SourceTreeTest(unittest.TestCase):
    def carat(self, **variables: str):
        venv = environment.Environment(environment.DEPENDENCIES)
        self.addCleanup(venv.close)
        return run(
            venv.python,
            "-m",
            "carat",
            "--version",
            check=False,
            env=clean_variables(PYTHONPATH=str(SOURCE / "python"), **variables),
        )

    def test_carat_native_names_a_build_folder(self) -> None:
        self.assertEqual(
            self.carat(CARAT_NATIVE=str(environment.built())).stdout, f"carat {VERSION}\n"
        )

    def test_carat_native_that_names_none_is_refused(self) -> None:
        refused = self.carat(CARAT_NATIVE="/nowhere")
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(
            refused.stderr,
            r"\Acarat: CARAT_NATIVE is '/nowhere', where there is no carat; set .*\n\Z",
        )

    def test_without_a_build_it_says_how_to_get_one(self) -> None:
        refused = self.carat()
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(
            refused.stderr,
            r"\Acarat: .*/python/carat: has no carat.*pip install.*CARAT_NATIVE.*\n\Z",
        )


if __name__ == "__main__":
    unittest.main()
