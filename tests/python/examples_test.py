"""The programs of examples/python do what they say."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from conftest import ANSWER, DEMO, SOURCE

QUESTION = "What is the capital of France?"


def run_example(name: str, *arguments: str | pathlib.Path, folder: pathlib.Path) -> str:
    command = [sys.executable, SOURCE / "examples" / "python" / name, *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, timeout=300
    ).stdout


def test_ask(tmp_path: pathlib.Path) -> None:
    assert run_example("ask.py", DEMO, QUESTION, folder=tmp_path) == ANSWER + "\n"
    assert (tmp_path / "dist" / "demo-q4_0-cpu" / "model.so").exists()


def test_stream(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert run_example("stream.py", dist, QUESTION, folder=tmp_path) == ANSWER + "\n"


def test_many(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    printed = run_example(
        "many.py", dist, QUESTION, "What is the capital of Italy?", folder=tmp_path
    )
    assert printed.splitlines() == [ANSWER, "The capital of Italy is Rome."]


def test_logits(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    text = f"<start_of_turn>user\n{QUESTION}<end_of_turn>\n<start_of_turn>model\nThe capital of France is"
    lines = run_example("logits.py", dist, text, folder=tmp_path).splitlines()
    assert len(lines) == 5 and lines[0].endswith("' Paris.'")
    shares = [float(line.split("%")[0]) for line in lines]
    assert shares == sorted(shares, reverse=True) and sum(shares) <= 100.01
