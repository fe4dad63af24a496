"""Where this installation of Carat has its program and its library.

The command `carat` asks before it starts the program, so this imports next to nothing.
"""

from __future__ import annotations

import os

from carat.errors import Error

REINSTALL = "pip install --force-reinstall SOURCE (Carat's source folder or wheel)"


def native_file(name: str) -> str:
    """The path of `libcarat.so` or of the program `carat`.

    `CARAT_NATIVE` names the folder of both, such as the build folder of a source tree, if it is not the package's.
    """
    if chosen := os.environ.get("CARAT_NATIVE"):
        path = os.path.join(os.path.abspath(chosen), name)
        if not os.path.isfile(path):
            raise Error(
                f"CARAT_NATIVE is '{chosen}', where there is no {name}; set it to a build folder or unset it"
            )
        return path
    import carat

    for folder in carat.__path__:
        path = os.path.join(folder, "_native", name)
        if os.path.isfile(path):
            return path
    raise Error(
        f"{carat.__path__[0]}: has no {name}, as in a source tree that is not installed; run {REINSTALL}, "
        "or set CARAT_NATIVE to a build folder"
    )
