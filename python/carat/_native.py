"""Loads libcarat.so, which registers Carat's functions and objects with the TVM FFI, and checks versions."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Any

import tvm_ffi
from carat._installation import REINSTALL, native_file
from carat._version import __version__
from carat.errors import Error, InvalidArgumentError, VersionMismatchError

OLDEST_TVM_FFI = (0, 1, 15)
"""The TVM FFI that this package is made for, as in pyproject.toml; later 0.1.x keep its ABI."""


def _check_tvm_ffi(installed: str) -> None:
    version = tuple(int(part) for part in re.findall(r"\d+", installed)[:3])
    if version[:2] == OLDEST_TVM_FFI[:2] and version >= OLDEST_TVM_FFI:
        return
    major, minor, patch = OLDEST_TVM_FFI
    wanted = f"{major}.{minor}.{patch}"
    raise VersionMismatchError(
        f"carat {__version__} is made for TVM FFI {wanted} and later {major}.{minor}, but apache-tvm-ffi "
        f'{installed} is installed; run: pip install "apache-tvm-ffi>={wanted},<{major}.{minor + 1}"'
    )


def _check_library(version: str) -> None:
    if version != __version__:
        raise VersionMismatchError(
            f"the Python package carat has version {__version__}, but its libcarat.so has {version}; run {REINSTALL}"
        )


def _load() -> None:
    _check_tvm_ffi(tvm_ffi.__version__)
    if sys.executable:
        os.environ["CARAT_PYTHON"] = (
            sys.executable
        )  # whose ziglang compiles, if there is no other compiler
    for name, error in (
        ("carat.Error", Error),
        ("carat.InvalidArgumentError", InvalidArgumentError),
        ("carat.VersionMismatchError", VersionMismatchError),
    ):
        tvm_ffi.register_error(name, error)
    path = native_file("libcarat.so")
    try:
        tvm_ffi.load_module(path)
    except Exception as error:
        raise Error(f"{path}: cannot be loaded: {error}; run {REINSTALL}") from error
    _check_library(function("version")())


def function(name: str) -> Callable[..., Any]:
    """The function that C++ registered as `carat.<name>`."""
    return tvm_ffi.get_global_func(f"carat.{name}")


_load()
