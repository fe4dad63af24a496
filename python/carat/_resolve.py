"""Models to run, however they are named: compiled folders, or models, which are compiled first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carat import _arguments, _native
from carat._progress import Progress, reporting

if TYPE_CHECKING:
    from carat._compile import StrPath


def resolve(model: StrPath, progress: Progress, *, needs_text: bool) -> str:
    """The compiled folder to load. What is not compiled is compiled into the user's cache, as the command line does."""
    with reporting(progress) as report:
        return str(
            _native.function("resolve_model")(_arguments.path(model, "model"), needs_text, report)
        )
