"""The exceptions of Carat. Each message says what is wrong, where, and how to mend it."""

from __future__ import annotations


class Error(Exception):
    """Carat cannot do what was asked: a file is broken, a model does not fit, a compiler is missing."""


class InvalidArgumentError(Error, ValueError):
    """An argument or a field of a request is not what it may be; the message names it."""


class VersionMismatchError(Error, ImportError):
    """Two parts (Python package, C++ library, compiled model, TVM FFI) have versions that do not work together."""
