"""Arrays of other libraries, which C++ reads and writes in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

import tvm_ffi
from carat.errors import InvalidArgumentError


class SupportsDLPack(Protocol):
    """An array of numpy, torch, jax or another library that speaks DLPack."""

    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __dlpack_device__(self) -> Any: ...


TokenIds = Sequence[int] | SupportsDLPack
"""Token ids, [n]: a list, or an array of int32 or int64 in CPU memory."""


def shared(array: SupportsDLPack, name: str) -> tvm_ffi.Tensor:
    """The array's memory; `name` is the argument's, for errors."""
    try:
        return tvm_ffi.from_dlpack(array)
    except (AttributeError, BufferError, RuntimeError, TypeError, ValueError) as error:
        kind = type(array).__name__
        raise InvalidArgumentError(
            f"{name}: this {kind} cannot be shared by DLPack: {error}"
        ) from None


def token_ids(tokens: TokenIds) -> Any:
    """What C++ reads: the array's memory, or a list. C++ refuses what is neither, and other lists."""
    if not hasattr(tokens, "__dlpack__"):
        is_list = isinstance(tokens, Sequence) and not isinstance(tokens, (str, bytes, bytearray))
        return list(tokens) if is_list else tokens
    if getattr(getattr(tokens, "flags", None), "writeable", True) is False:
        tokens = tokens.copy()  # type: ignore[union-attr]  # DLPack before 1.0 does not lend read-only arrays
    return shared(cast("SupportsDLPack", tokens), "tokens")
