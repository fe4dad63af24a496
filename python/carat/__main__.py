"""`python -m carat` and the command `carat` that pip installs: the program of this package, in this process.

The program replaces Python, so that exit codes, signals and the terminal are its own, and it starts as fast
as Python does: neither libcarat.so nor tvm_ffi is imported for it.
"""

from __future__ import annotations

import os
import sys

from carat._installation import native_file
from carat.errors import Error


def tvm_ffi_folder() -> str:
    """The folder of the libtvm_ffi.so that this Python would import."""
    import importlib.util

    package = importlib.util.find_spec("tvm_ffi")
    if package is None or not package.submodule_search_locations:
        raise Error(
            f"the Python package tvm_ffi is not installed; run: {sys.executable} -m pip install apache-tvm-ffi"
        )
    return os.path.join(package.submodule_search_locations[0], "lib")


def environment_for(program: str) -> dict[str, str]:
    """What the program must know of this Python: where its packages lie."""
    environment = dict(os.environ)
    if sys.executable:
        environment["CARAT_PYTHON"] = (
            sys.executable
        )  # whose ziglang is a compiler, if there is no other
    # The program itself looks in the package beside its own (cmake/CaratPython.cmake); pip may have found
    # that in another folder of Python's path.
    beside = os.path.join(os.path.dirname(program), "../../tvm_ffi/lib/libtvm_ffi.so")
    if "CARAT_NATIVE" not in environment and not os.path.exists(beside):
        folders = [tvm_ffi_folder(), environment.get("LD_LIBRARY_PATH")]
        environment["LD_LIBRARY_PATH"] = ":".join(folder for folder in folders if folder)
    return environment


def main() -> None:
    try:
        program = native_file("carat")
        os.execve(program, ["carat", *sys.argv[1:]], environment_for(program))
    except Error as error:
        sys.exit(f"carat: {error}")
    except OSError as error:
        sys.exit(f"carat: {program}: cannot be started: {error.strerror}")


if __name__ == "__main__":
    main()
