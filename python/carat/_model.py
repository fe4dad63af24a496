"""A compiled model without an engine: tokens in, logits out."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Literal

import tvm_ffi
from carat import _arguments, _native
from carat._arrays import SupportsDLPack, TokenIds, shared, token_ids
from carat._objects import Methods, register
from carat._progress import Progress
from carat._resolve import resolve
from carat._tokenizer import Tokenizer
from carat.errors import InvalidArgumentError

if TYPE_CHECKING:
    from carat._compile import StrPath


@register("carat.State")
class State(tvm_ffi.Object):
    """The tokens of one text that a model has seen: its KV cache.

    Made by :meth:`Model.create_state`. It keeps its model alive, and gives its place in the KV cache back when it ends.
    """

    _cxx: Methods
    max_tokens: int
    """How many tokens it may hold."""

    def __len__(self) -> int:
        """How many tokens it holds."""
        return int(self._cxx.length(self))

    def __bool__(self) -> bool:
        """True, also without tokens."""
        return True

    def truncate(self, length: int) -> int:
        """Forgets the tokens from `length` on.

        Returns the length it has then: `length`, or 0 if the sliding layers have overwritten the window before it;
        then the text has to be run from its beginning.
        """
        return int(self._cxx.truncate(self, _arguments.integer(length, "length")))

    def reset(self) -> None:
        """Forgets all tokens."""
        self.truncate(0)


@register("carat.Model")
class Model(tvm_ffi.Object):
    """A compiled model: its library, weights, KV cache and threads. Made by :func:`load`.

    It may be used by several threads, whose calls take turns.
    """

    __slots__ = ("__dict__",)  # for the cached properties
    _cxx: Methods
    folder: str
    vocab_size: int
    context_window_size: int
    """Tokens of one text at most."""
    num_threads: int

    @functools.cached_property
    def metadata(self) -> dict[str, Any]:
        """What the library says about itself: model, target, limits, sizes of buffers, weights."""
        metadata: dict[str, Any] = json.loads(self._cxx.metadata(self))
        return metadata

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the folder."""
        return Tokenizer(self.folder)

    def create_state(self, max_tokens: int | None = None) -> State:
        """A place for one text of at most `max_tokens` tokens; by default, the context window.

        Raises
        ------
        InvalidArgumentError
            If the context window is smaller.
        Error
            If all `max_batch_size` places are in use.

        """
        if max_tokens is not None:
            max_tokens = _arguments.integer(max_tokens, "max_tokens")
        state: State = self._cxx.create_state(self, max_tokens)
        return state

    def forward(
        self,
        state: State,
        tokens: TokenIds,
        *,
        logits: Literal["all", "last", "none"] = "all",
        out: SupportsDLPack | None = None,
    ) -> tvm_ffi.Tensor:
        """Appends tokens to a state and returns what the model expects after them.

        Parameters
        ----------
        state
            Of this model.
        tokens
            Token ids, [n], n >= 1: a list, or an int32 or int64 array in CPU memory, contiguous or not.
        logits
            After which of the tokens: of all, of the last one, of none.
        out
            Where to write them: a writable, contiguous float32 array of the result's shape.

        Returns
        -------
        logits
            float32 [n, vocab_size], or [1, vocab_size] or [0, vocab_size], in CPU memory: `out` or new memory that is
            shared with `np.from_dlpack(logits)`, `torch.from_dlpack(logits)`, `jax.dlpack.from_dlpack(logits)`.

        Raises
        ------
        InvalidArgumentError
            If an argument has the wrong type, shape, device or range; the message names it.
        KeyboardInterrupt
            On Ctrl-C, between the steps of a long text; `len(state)` says how far it came.

        """
        _arguments.instance(state, State, "state")
        _arguments.text(logits, "logits")
        memory = None if out is None else _writable(out)
        result: tvm_ffi.Tensor = self._cxx.forward(self, state, token_ids(tokens), logits, memory)
        return result


def _writable(out: SupportsDLPack) -> tvm_ffi.Tensor:
    flags = getattr(out, "flags", None)
    is_read_only = getattr(flags, "writeable", True) is False
    is_jax = type(out).__module__.partition(".")[0] in {"jax", "jaxlib"}
    if is_read_only or is_jax:
        raise InvalidArgumentError("out: is read-only, expected an array that may be written")
    return shared(out, "out")


def load(path: StrPath, *, num_threads: int | None = None, progress: Progress = None) -> Model:
    """Loads a compiled folder, or a model, which is compiled first.

    Parameters
    ----------
    path
        What :func:`compile` returned; or a model as it takes it, whose compiled folder is kept in the user's cache
        ($XDG_CACHE_HOME/carat) until the model or Carat changes.
    num_threads
        How many threads compute; by default one a physical core.
    progress
        Of the compilation: a bar or a function; see :data:`carat.Progress`.

    Raises
    ------
    Error
        If a file is missing or damaged, the library does not run on this machine, or the model cannot be compiled.
    KeyboardInterrupt
        On Ctrl-C while it compiles. Nothing is left behind then.
    VersionMismatchError
        If the folder was compiled by another version of Carat.

    """
    folder = resolve(path, progress, needs_text=False)
    model: Model = _native.function("load")(folder, {"num_threads": num_threads})
    return model
