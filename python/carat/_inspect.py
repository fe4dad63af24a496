"""What is in a file or a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from carat import _arguments, _native

if TYPE_CHECKING:
    from carat._compile import StrPath


def inspect(path: StrPath) -> dict[str, Any]:
    """What is in a model, a compiled folder or a compiled library, as `carat inspect --json` prints it.

    Nothing of a library is executed. What keeps a compiled folder from being run is listed under "problems".

    Parameters
    ----------
    path
        A model as :func:`compile` takes it, a compiled folder, or the library in it.

    Raises
    ------
    Error
        If it is none of them, or no file of it says what the model is.

    """
    inspection: dict[str, Any] = json.loads(
        _native.function("inspect")(_arguments.path(path, "path"))
    )
    return inspection
