"""Engines: models that answer requests, with the interface of OpenAI's clients."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, SupportsIndex, overload

import tvm_ffi
from carat import _native
from carat._chat import Answer, AsyncStream, Message, Parameters, Stream, request_json
from carat._objects import Methods, register
from carat._progress import Progress
from carat._resolve import resolve
from carat.types import ChatCompletion

if TYPE_CHECKING:
    from carat._compile import StrPath
    from typing_extensions import Unpack


@register("carat.Engine")
class _Engine(tvm_ffi.Object):
    """The engine of C++: a queue of requests and a thread that works on them."""

    _cxx: Methods
    model: str
    context_window_size: int
    num_threads: int

    def answer(self, request: str) -> Answer:
        answer: Answer = self._cxx.create_chat_completion(self, request)
        return answer

    def close(self) -> None:
        self._cxx.close(self)


def _load(model: StrPath, num_threads: int | None, progress: Progress) -> _Engine:
    folder = resolve(model, progress, needs_text=True)
    engine: _Engine = _native.function("load_engine")(folder, {"num_threads": num_threads})
    return engine


class Completions:
    """`engine.chat.completions`."""

    def __init__(self, engine: _Engine) -> None:
        self._engine = engine

    @overload
    def create(
        self,
        *,
        messages: Sequence[Message],
        stream: Literal[True],
        **parameters: Unpack[Parameters],
    ) -> Stream: ...
    @overload
    def create(
        self,
        *,
        messages: Sequence[Message],
        stream: Literal[False] | None = None,
        **parameters: Unpack[Parameters],
    ) -> ChatCompletion: ...
    @overload
    def create(
        self,
        *,
        messages: Sequence[Message],
        stream: bool | None = None,
        **parameters: Unpack[Parameters],
    ) -> ChatCompletion | Stream: ...

    def create(
        self, *, messages: Sequence[Message], stream: bool | None = None, **parameters: Any
    ) -> ChatCompletion | Stream:
        """Answers a conversation.

        Parameters
        ----------
        messages
            The conversation; each has a role ("system", "user", "assistant") and a content.
        stream
            Whether to give the answer in chunks as it comes.
        **parameters
            OpenAI's; see :class:`carat.Parameters`.

        Raises
        ------
        InvalidArgumentError
            If a parameter is not what it may be, or the conversation does not fit the context window.
        KeyboardInterrupt
            On Ctrl-C, which also ends the work on the answer.

        """
        answer = self._engine.answer(request_json(messages, stream, parameters))
        if stream:
            return Stream(answer)
        return _whole(answer.read())


class AsyncCompletions:
    """`async_engine.chat.completions`."""

    def __init__(self, engine: _Engine) -> None:
        self._engine = engine

    @overload
    async def create(
        self,
        *,
        messages: Sequence[Message],
        stream: Literal[True],
        **parameters: Unpack[Parameters],
    ) -> AsyncStream: ...
    @overload
    async def create(
        self,
        *,
        messages: Sequence[Message],
        stream: Literal[False] | None = None,
        **parameters: Unpack[Parameters],
    ) -> ChatCompletion: ...
    @overload
    async def create(
        self,
        *,
        messages: Sequence[Message],
        stream: bool | None = None,
        **parameters: Unpack[Parameters],
    ) -> ChatCompletion | AsyncStream: ...

    async def create(
        self, *, messages: Sequence[Message], stream: bool | None = None, **parameters: Any
    ) -> ChatCompletion | AsyncStream:
        """Answers a conversation; as :meth:`Completions.create`. Cancelling the task ends the work on the answer."""
        request = request_json(messages, stream, parameters)
        answer = await asyncio.to_thread(
            self._engine.answer, request
        )  # which reads the whole prompt
        if stream:
            return AsyncStream(answer)
        try:
            return _whole(await answer.read_async())
        finally:
            answer.cancel()


def _whole(answer: str | None) -> ChatCompletion:
    assert answer is not None  # an answer that is not a stream is one JSON
    return ChatCompletion.model_validate_json(answer)


class Chat:
    """`engine.chat`."""

    def __init__(self, engine: _Engine) -> None:
        self.completions = Completions(engine)


class AsyncChat:
    """`async_engine.chat`."""

    def __init__(self, engine: _Engine) -> None:
        self.completions = AsyncCompletions(engine)


class _Closing:
    """What both engines have in common."""

    def __init__(self, model: StrPath, num_threads: int | None, progress: Progress) -> None:
        self._engine = _load(model, num_threads, progress)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        self._engine.__reduce_ex__(protocol)  # which refuses
        raise AssertionError

    @property
    def model(self) -> str:
        """The model's name: its folder's."""
        return self._engine.model

    @property
    def context_window_size(self) -> int:
        """Tokens of a conversation at most, answers included."""
        return self._engine.context_window_size

    @property
    def num_threads(self) -> int:
        """How many threads compute."""
        return self._engine.num_threads

    def close(self) -> None:
        """Ends the work on all requests; reading an answer that was not complete then raises Error."""
        self._engine.close()


class Engine(_Closing):
    """A model that answers requests.

    Any number of threads may use it at once: requests are answered in the order in which they come. Python's lock is
    not held while the model computes.

        with carat.Engine("dist/demo-q4_0-cpu") as engine:
            answer = engine.chat.completions.create(messages=[{"role": "user", "content": "Hello!"}])
            print(answer.choices[0].message.content)
    """

    def __init__(
        self, model: StrPath, *, num_threads: int | None = None, progress: Progress = None
    ) -> None:
        """Loads a compiled folder, or a model, which is compiled first; as :func:`carat.load`."""
        super().__init__(model, num_threads, progress)
        self.chat = Chat(self._engine)

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncEngine(_Closing):
    """An :class:`Engine` for programs with an event loop (asyncio), which goes on while the model computes."""

    def __init__(
        self, model: StrPath, *, num_threads: int | None = None, progress: Progress = None
    ) -> None:
        """Loads a compiled folder, or a model, which is compiled first; as :func:`carat.load`."""
        super().__init__(model, num_threads, progress)
        self.chat = AsyncChat(self._engine)

    async def __aenter__(self) -> AsyncEngine:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
