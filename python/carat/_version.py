"""The version of this Python code: that of the file VERSION."""

from __future__ import annotations

import importlib.metadata
import pathlib


def _read() -> str:
    # In a source tree, which an editable installation leads to, the file itself: what was installed
    # may be older.
    source = pathlib.Path(__file__).resolve().parents[2]
    if (source / "carat" / "ffi").is_dir():
        return (source / "VERSION").read_text(encoding="utf-8").strip()
    return importlib.metadata.version("carat")


__version__ = _read()
