"""How far long work is: shown where somebody can see it, told to who asks, and silent elsewhere."""

from __future__ import annotations

import fcntl
import io
import os
import pathlib
import struct
import subprocess
import sys
import termios
import types

import carat
import pytest
from carat._progress import reporting
from conftest import DEMO

COMPILE = "import carat, sys; carat.compile(sys.argv[1], output=sys.argv[2])"


def test_a_callback_hears_of_every_step(tmp_path: pathlib.Path) -> None:
    heard: list[tuple[str, float]] = []
    carat.compile(
        DEMO, output=tmp_path / "demo", progress=lambda step, part: heard.append((step, part))
    )
    parts = [part for _, part in heard]
    assert parts == sorted(parts) and parts[0] == 0 and parts[-1] == 1
    assert list(dict.fromkeys(step for step, _ in heard)) == [
        "reading the model",
        "planning",
        "packing weights",
        "compiling the library",
        "done",
    ]


def test_what_a_callback_raises_ends_the_work_and_leaves_nothing(tmp_path: pathlib.Path) -> None:
    def refuse(step: str, part: float) -> None:
        if part > 0.2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        carat.compile(DEMO, output=tmp_path / "demo", progress=refuse)
    assert list(tmp_path.iterdir()) == []


def test_is_silent_without_a_terminal(tmp_path: pathlib.Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, DEMO, tmp_path / "demo"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_draws_a_bar_in_a_terminal(tmp_path: pathlib.Path) -> None:
    try:
        terminal, other_end = os.openpty()
    except OSError:
        pytest.skip("this system has no pseudo-terminals")
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-c", COMPILE, DEMO, tmp_path / "demo"]
    with subprocess.Popen(command, stderr=other_end, stdout=other_end) as process:
        os.close(other_end)
        shown = b""
        try:
            while data := os.read(terminal, 4096):
                shown += data
        except OSError:
            pass  # the other end is closed
    os.close(terminal)
    assert process.returncode == 0
    assert b"packing weights" in shown and b"%" in shown
    assert [part.strip() for part in shown.split(b"\r")[-2:]] == [b"", b""]  # nothing of it stays


def test_draws_a_bar_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    class ZMQInteractiveShell:
        """What IPython runs a notebook's cells in."""

    notebook = types.ModuleType("IPython")
    notebook.get_ipython = ZMQInteractiveShell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None
    )  # without widgets: a bar of text
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    with reporting(None) as report:
        assert report is not None
        report("packing weights", 0.25)
    assert "packing weights" in shown.getvalue()


def test_draws_nothing_when_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with reporting(False) as report:
        assert report is None


def test_work_that_is_done_already_shows_no_bar(
    dist: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    carat.load(dist, progress=True)
    assert capsys.readouterr().err == ""


def test_a_bar_is_cleared_when_the_work_fails(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(carat.Error):
        carat.export(
            DEMO, format="safetensors", quantization="q4_0", output=tmp_path / "a", progress=True
        )
    shown = capsys.readouterr().err
    assert "exporting weights" in shown
    assert [part.strip() for part in shown.split("\r")[-2:]] == ["", ""]
