"""What the tests of the Python package share.

CARAT_NATIVE is the build folder, CARAT_COMPILED_DEMO is models/demo, compiled.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import carat
import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DEMO = SOURCE / "models" / "demo"

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
ANSWER = "The capital of France is Paris."


@pytest.fixture(scope="session")
def dist() -> pathlib.Path:
    return pathlib.Path(os.environ["CARAT_COMPILED_DEMO"])


@pytest.fixture(scope="session")
def program() -> pathlib.Path:
    return pathlib.Path(os.environ["CARAT_NATIVE"]) / "carat"


@pytest.fixture(scope="module")
def engine(dist: pathlib.Path) -> Iterator[carat.Engine]:
    with carat.Engine(dist) as engine:
        yield engine


@pytest.fixture(scope="module")
def model(dist: pathlib.Path) -> carat.Model:
    return carat.load(dist)


def run_python(code: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Another Python process, with this one's environment."""
    import sys

    options.setdefault("timeout", 120)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, **options
    )
