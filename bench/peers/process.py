"""Runs a program to its end: what it printed and when, how long it took, how much memory it had."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LINES_OF_AN_ERROR = 15


class PeersError(Exception):
    """What a user can mend, in one line or a program's own last lines."""


@dataclass(frozen=True)
class Finished:
    """A program that ended well.

    Its peak memory is what the kernel counted (ru_maxrss), files mapped and touched included. The
    kernel counts this process too, of which the child is a copy before it becomes the program: what
    runs programs has to stay smaller than they are.
    """

    stdout: str
    lines: list[tuple[float, str]] = field(default_factory=list)  # and the second of each
    seconds: float = 0.0
    peak_memory_bytes: int = 0


def run(command: Sequence[str | Path], *, cwd: Path | None = None, merge: bool = False,
        on_line: Callable[[str], None] = lambda line: None) -> Finished:
    """Runs `command`; `on_line` sees each line of stderr, and of stdout too if they `merge`."""
    with tempfile.TemporaryFile() as stdout:
        start = time.monotonic()
        try:
            child = subprocess.Popen(
                [str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if merge else stdout,
                stderr=subprocess.STDOUT if merge else subprocess.PIPE)
        except OSError as error:
            raise PeersError(f"{command[0]}: cannot be run: {error.strerror}") from error
        lines: list[tuple[float, str]] = []
        with child:
            try:
                for raw in child.stdout if merge else child.stderr:
                    line = raw.decode(errors="replace").rstrip()
                    lines.append((time.monotonic() - start, line))
                    on_line(line)
                _, status, usage = os.wait4(child.pid, 0)
                child.returncode = os.waitstatus_to_exitcode(status)
            except BaseException:  # an interrupt, most likely
                _stop(child)
                raise
        seconds = time.monotonic() - start
        if child.returncode != 0:
            raise PeersError(_failure(command, child.returncode, [text for _, text in lines]))
        stdout.seek(0)
        return Finished(stdout.read().decode(errors="replace"), lines, seconds,
                        usage.ru_maxrss * 1024)


def _stop(child: subprocess.Popen) -> None:
    child.terminate()
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _failure(command: Sequence[str | Path], exit_code: int, lines: list[str]) -> str:
    how = f"exit code {exit_code}" if exit_code > 0 else f"signal {-exit_code}"
    last_lines = [line for line in lines if line][-LINES_OF_AN_ERROR:]
    return "\n  ".join([f"{' '.join(map(str, command))}: failed ({how})", *last_lines])
