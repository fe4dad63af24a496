"""carat.inspect: what the command line shows."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess

import carat
import pytest
from conftest import DEMO


def test_shows_what_the_command_line_shows(dist: pathlib.Path, program: pathlib.Path) -> None:
    for path in [DEMO, dist, dist / "model.so"]:
        run = subprocess.run([program, "inspect", path, "--json"], check=True, capture_output=True)
        assert carat.inspect(path) == json.loads(run.stdout)


def test_lists_what_keeps_a_folder_from_being_run(
    dist: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    assert carat.inspect(dist)["problems"] == []
    damaged = shutil.copytree(dist, tmp_path / "damaged")
    with (damaged / "weights.bin").open("r+b") as weights:
        weights.truncate(1000)
    (problem,) = carat.inspect(damaged)["problems"]
    assert "weights.bin" in problem


def test_refuses_what_is_none(tmp_path: pathlib.Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("hello")
    for path in [tmp_path / "nowhere", text, tmp_path]:
        with pytest.raises(carat.Error, match=str(path)):
            carat.inspect(path)
