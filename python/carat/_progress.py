"""How far long work is: a bar in a terminal or a notebook, or a call for everybody else."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from typing import Any

ProgressCallback = Callable[[str, float], None]
"""Called with what is being done ("packing weights") and how far that is, from 0 to 1."""

Progress = ProgressCallback | bool | None
"""A callback; True or False: a bar or none; None: a bar where somebody can see it."""


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def _bar_type() -> Any:
    if _in_notebook() and importlib.util.find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm as notebook_bar  # type: ignore[import-untyped]

        return notebook_bar
    from tqdm import tqdm  # type: ignore[import-untyped]

    return tqdm


@contextlib.contextmanager
def _passing_exceptions(progress: ProgressCallback) -> Iterator[ProgressCallback]:
    """What `progress` raises comes out as it is; on its way through C++ alone, only its message would."""
    raised: list[BaseException] = []

    def call(step: str, fraction: float) -> None:
        try:
            progress(step, fraction)
        except BaseException as error:
            raised.append(error)
            raise

    try:
        yield call
    except BaseException:
        if raised:
            raise raised[0] from None
        raise


@contextlib.contextmanager
def reporting(progress: Progress) -> Iterator[ProgressCallback | None]:
    """Gives what C++ is to call, and ends the bar in the end."""
    if callable(progress):
        with _passing_exceptions(progress) as callback:
            yield callback
        return
    shown = _in_notebook() or sys.stderr.isatty() if progress is None else progress
    if not shown:
        yield None
        return
    with contextlib.ExitStack() as stack:
        bar = None

        def update(step: str, fraction: float) -> None:
            nonlocal bar
            if bar is None:  # only now: work that is done already shows none
                new = _bar_type()(
                    total=100, bar_format="{desc:<22} {bar} {percentage:3.0f}%", leave=False
                )
                bar = stack.enter_context(contextlib.closing(new))
            percent = int(100 * fraction)
            if percent != bar.n or step != bar.desc:
                bar.n = percent
                bar.set_description_str(step)

        with _passing_exceptions(update) as callback:
            yield callback
