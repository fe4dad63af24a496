"""The objects that C++ defines, as Python classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import tvm_ffi
from carat import _native  # noqa: F401  (loads libcarat.so, which defines them)
from carat._installation import REINSTALL

Class = TypeVar("Class", bound=type)


class Methods:
    """What C++ registered as the methods of one of its classes; each takes the object first."""

    def __init__(self, cls: type) -> None:
        info: Any = cls.__tvm_ffi_type_info__  # type: ignore[attr-defined]
        for method in info.methods:
            setattr(self, method.name, method.func)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        raise AttributeError(f"libcarat.so has no method {name}; run {REINSTALL}")


def _refuse_to_pickle(self: object, protocol: object = None) -> Any:
    raise TypeError(
        f"a carat.{type(self).__name__} cannot be pickled or copied; make it in the process that uses it"
    )


def register(type_key: str) -> Callable[[Class], Class]:
    """Decorates the Python class of the C++ class `type_key`; C++'s methods become `_cxx`'s.

    What refers to threads and memory of this process is neither pickled nor copied.
    """

    def decorate(cls: Class) -> Class:
        registered: Class = tvm_ffi.register_object(type_key)(cls)
        registered._cxx = Methods(registered)  # type: ignore[attr-defined]
        setattr(registered, "__reduce_ex__", _refuse_to_pickle)  # noqa: B010  (mypy: assigns to a method)
        return registered

    return decorate
