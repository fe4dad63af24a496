"""A fresh virtual environment for the tests of the wheel, without a download.

What the wheel depends on is linked into it from the environment that runs the tests; pip installs the wheel
itself, as it would for a user.
"""

import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import venv

SOURCE = pathlib.Path(__file__).resolve().parents[2]
VERSION = (SOURCE / "VERSION").read_text(encoding="utf-8").strip()
DEMO = SOURCE / "models" / "demo"

# All that `pip install carat` brings, and what their distributions need.
DEPENDENCIES = [
    "apache-tvm-ffi",
    "pydantic",
    "pydantic-core",
    "annotated-types",
    "typing-inspection",
    "typing-extensions",
    "tqdm",
]
# What pip needs to build it without an environment of its own.
BUILD_DEPENDENCIES = [
    "scikit-build-core",
    "auditwheel",
    "wheel",
    "packaging",
    "pathspec",
    "pyelftools",
]


def wheel() -> pathlib.Path:
    """The wheel that the test Packaging.MakeWheel made of this build."""
    made = pathlib.Path(os.environ["CARAT_WHEELS"]).glob(f"carat-{VERSION}-*.whl")
    return max(made, key=lambda path: path.stat().st_mtime)


def built() -> pathlib.Path:
    """The build folder that is tested."""
    return pathlib.Path(os.environ["CARAT_BUILT"])


def clean_variables(**changes: str) -> dict[str, str]:
    """The environment variables of a user who has set none that matter, and `changes`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CARAT_", "PYTHON")) and name not in ("CXX", "LD_LIBRARY_PATH")
    }
    return {**kept, **changes}


def run(
    *command: object, check: bool = True, **options: object
) -> subprocess.CompletedProcess[str]:
    options.setdefault("env", clean_variables())
    result = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        text=True,
        capture_output=True,
        check=False,
        **options,
    )
    if check and result.returncode != 0:
        raise AssertionError(f"{command} gave {result.returncode}:\n{result.stdout}{result.stderr}")
    return result


def link_distribution(name: str, folder: pathlib.Path) -> None:
    """Links the files of an installed distribution into another folder of packages."""
    distribution = importlib.metadata.distribution(name)
    for top in {
        file.parts[0] for file in distribution.files if file.parts[0] not in ("..", "__pycache__")
    }:
        (folder / top).symlink_to(distribution.locate_file(top))


class Environment:
    """A virtual environment in a temporary folder, removed by `close`."""

    def __init__(self, distributions: list[str]) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="carat-packaging-"))
        venv.create(self.folder, with_pip=False)
        self.bin = self.folder / "bin"
        self.python = self.bin / "python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.packages = self.folder / "lib" / version / "site-packages"
        for name in distributions:
            link_distribution(name, self.packages)

    def close(self) -> None:
        shutil.rmtree(self.folder)

    def pip(self, *arguments: object) -> str:
        return run(sys.executable, "-m", "pip", "--python", self.python, *arguments).stdout

    def install(self, *arguments: object) -> None:
        self.pip("install", "--no-index", *arguments)
