"""One line that says how far a long run is: a bar on a terminal, a line a step elsewhere."""

import sys
import time
from typing import TextIO

BAR_WIDTH = 24
LINE_WIDTH = 99


class Progress:
    def __init__(self, total: int, stream: TextIO = sys.stderr) -> None:
        self._total = total
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._begun = 0
        self._label = ""
        self._start = time.monotonic()

    def step(self, label: str) -> None:
        """Says that the step before is done and the one called `label` begins."""
        self._begun += 1
        self._label = label
        if self._is_terminal:
            self._draw(label)
        else:
            print(f"[{self._begun}/{self._total}] {label}", file=self._stream, flush=True)

    def detail(self, text: str) -> None:
        """Shows what the present step is doing."""
        if self._is_terminal:
            self._draw(f"{self._label}: {text}")

    def say(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        print(text, file=self._stream, flush=True)

    def clear(self) -> None:
        """Takes the bar from the terminal, so that other text can follow."""
        if self._is_terminal:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def _draw(self, text: str) -> None:
        done = self._begun - 1
        filled = BAR_WIDTH * done // self._total
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        minutes, seconds = divmod(int(time.monotonic() - self._start), 60)
        line = f"[{bar}] {done}/{self._total} {minutes}:{seconds:02} {text}"
        printable = "".join(letter if letter.isprintable() else " " for letter in line)
        self._stream.write(f"\r\033[K{printable[:LINE_WIDTH]}")
        self._stream.flush()
