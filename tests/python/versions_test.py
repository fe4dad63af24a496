"""Versions that do not fit each other are refused in one line, which names both and says what to run."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess

import carat
import pytest
from conftest import SOURCE, run_python


@pytest.fixture
def copy(dist: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(shutil.copytree(dist, tmp_path / "copy"))


OTHER = re.sub(r"\d", "9", carat.__version__)


def forge(path: pathlib.Path, field: str, version: str) -> None:
    """Replaces a version of the same length in the metadata of a library or of carat-config.json."""
    data = path.read_bytes()
    forged = re.sub(rb'("%s": ?")[^"]*' % field.encode(), rb"\g<1>" + version.encode(), data)
    assert forged != data and len(forged) == len(data)
    path.write_bytes(forged)


def refusal(folder: pathlib.Path) -> str:
    messages = []
    for load in (carat.load, carat.Engine):
        with pytest.raises(carat.VersionMismatchError) as info:
            load(folder)
        messages.append(str(info.value))
    assert messages[0] == messages[1] and "\n" not in messages[0]
    return messages[0]


def test_a_library_of_another_carat(copy: pathlib.Path) -> None:
    forge(copy / "carat-config.json", "carat_version", OTHER)
    message = refusal(copy)
    assert OTHER in message and carat.__version__ in message and "carat compile" in message


def test_a_config_that_hides_a_library_of_another_carat(copy: pathlib.Path) -> None:
    forge(copy / "model.so", "carat_version", OTHER)
    message = refusal(copy)
    assert "model.so" in message and OTHER in message and carat.__version__ in message


def test_a_library_for_another_tvm_ffi(copy: pathlib.Path) -> None:
    for file in ("model.so", "carat-config.json"):
        forge(copy / file, "tvm_ffi_abi", "0.7")
    message = refusal(copy)
    assert "TVM FFI 0.7" in message and "0.1" in message and "carat compile" in message


def test_a_python_package_beside_another_library(tmp_path: pathlib.Path) -> None:
    shutil.copytree(
        SOURCE / "python", tmp_path / "python", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "carat" / "ffi").mkdir(parents=True)
    (tmp_path / "VERSION").write_text("9.9.9\n")
    done = run_python(
        f"import sys; sys.path.insert(0, {str(tmp_path / 'python')!r}); import carat; carat.load"
    )
    last = done.stderr.splitlines()[-1]
    assert "VersionMismatchError" in last and "9.9.9" in last and carat.__version__ in last
    assert "pip install" in last


@pytest.mark.parametrize("installed", ["0.2.3", "1.1.15", "0.1.0", "0.1.12.post1"])
def test_another_tvm_ffi_is_installed(installed: str) -> None:
    forge = f"import tvm_ffi; tvm_ffi.__version__ = '{installed}'; import carat; carat.load"
    last = run_python(forge).stderr.splitlines()[-1]
    assert "VersionMismatchError" in last and installed in last
    assert 'pip install "apache-tvm-ffi>=0.1.15,<0.2"' in last


@pytest.mark.parametrize("installed", ["0.1.15", "0.1.15.post2", "0.1.27"])
def test_a_tvm_ffi_with_the_same_abi_is_installed(installed: str) -> None:
    done = run_python(
        f"import tvm_ffi; tvm_ffi.__version__ = '{installed}'; import carat; carat.load"
    )
    assert done.stderr == ""


def test_program_package_and_library_have_the_version_of_the_file(
    program: pathlib.Path, dist: pathlib.Path
) -> None:
    version = (SOURCE / "VERSION").read_text().strip()
    printed = subprocess.run(
        [program, "--version"], check=True, capture_output=True, text=True
    ).stdout
    assert printed == f"carat {version}\n"
    assert carat.__version__ == version
    assert carat.load(dist).metadata["carat_version"] == version
