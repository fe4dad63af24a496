"""Arguments checked before C++ sees them, so that errors name them as Python does."""

from __future__ import annotations

import operator
import os
from typing import Any, TypeVar

from carat.errors import InvalidArgumentError

T = TypeVar("T")


def _wrong(name: str, value: object, expected: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"{name}: is a {type(value).__name__}, expected {expected}")


def path(value: Any, name: str) -> str:
    """A path as text. C++ takes UTF-8, without NUL."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise _wrong(name, value, "a path")
    return text(os.fsdecode(value), name)


def optional_path(value: Any, name: str) -> str | None:
    """The same, or None."""
    return None if value is None else path(value, name)


def text(value: Any, name: str) -> str:
    """Text that UTF-8 can spell, without NUL."""
    if not isinstance(value, str):
        raise _wrong(name, value, "text")
    if "\0" in value:
        raise InvalidArgumentError(f"{name}: contains a NUL")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{name}: {value!r} is not UTF-8") from None
    return value


def integer(value: Any, name: str) -> int:
    """A whole number of 64 bits, of Python or numpy."""
    try:
        number = operator.index(value)
    except TypeError:
        raise _wrong(name, value, "an integer") from None
    if abs(number) >= 2**63:
        raise InvalidArgumentError(f"{name}: {number} is too large")
    return number


def instance(value: Any, cls: type[T], name: str) -> T:
    """An object of one of Carat's classes."""
    if not isinstance(value, cls):
        raise _wrong(name, value, f"a carat.{cls.__name__}")
    return value
