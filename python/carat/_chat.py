"""The request of a chat completion, as keyword arguments, and the streams that answer it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypedDict

import tvm_ffi
from carat._objects import Methods, register
from carat.errors import InvalidArgumentError
from carat.types import ChatCompletionChunk

Message = Mapping[str, Any]
"""{"role": "system" | "developer" | "user" | "assistant", "content": text or [{"type": "text", "text": text}]}"""


class Parameters(TypedDict, total=False):
    """OpenAI's parameters of a chat completion, and after them those that others added.

    What is left out or None is as the model's generation_config.json says.
    """

    model: str | None  # any: there is one
    temperature: float | None
    """0: always the likeliest token."""
    top_p: float | None
    max_tokens: int | None
    """Of the answer; by default until the context window is full."""
    max_completion_tokens: int | None
    """The newer name of `max_tokens`."""
    stop: str | Sequence[str] | None
    """Texts that end the answer and are not part of it."""
    seed: int | None
    n: int | None
    """How many answers."""
    presence_penalty: float | None
    frequency_penalty: float | None
    logit_bias: Mapping[str, float] | Mapping[int, float] | None
    """By token id, -100 to 100."""
    logprobs: bool | None
    top_logprobs: int | None
    """How many likeliest tokens to tell at each place, 0 to 20."""
    stream_options: Mapping[str, bool] | None
    """{"include_usage": True}: a last chunk with the usage."""
    # Of a service, and read past; or to ask for nothing.
    user: str | None
    metadata: Mapping[str, str] | None
    store: bool | None
    service_tier: str | None
    tool_choice: str | None
    response_format: Mapping[str, str] | None

    top_k: int | None
    min_p: float | None
    repetition_penalty: float | None
    ignore_eos: bool | None
    """Go on until max_tokens, whatever the model says."""


def request_json(
    messages: Sequence[Message], stream: bool | None, parameters: Mapping[str, Any]
) -> str:
    """The body of OpenAI's request."""
    request = {name: value for name, value in parameters.items() if value is not None}
    request |= {"messages": messages, "stream": bool(stream)}
    try:
        return json.dumps(request, default=_as_json, allow_nan=False)
    except RecursionError:
        raise InvalidArgumentError("request: is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"request: {error}") from error


def _as_json(value: Any) -> Any:
    """Of messages that are objects, as OpenAI's client gives them, or of other kinds of lists and numbers."""
    if hasattr(value, "model_dump"):
        return value.model_dump(exclude_none=True)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    if hasattr(value, "item"):  # numpy's numbers
        return value.item()
    raise TypeError(f"a {type(value).__name__} is not JSON")


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@register("carat.ChatCompletion")
class Answer(tvm_ffi.Object):
    """The answer to one request, as C++ has it: JSON by JSON."""

    _cxx: Methods

    def read(self) -> str | None:
        """Waits for the next JSON; None at the end."""
        json_text: str | None = self._cxx.read(self)
        return json_text

    def poll(self) -> str | bool:
        """The next JSON; True if there is none yet, False at the end."""
        result: str | bool = self._cxx.poll(self)
        return result

    async def wait(self) -> None:
        """Until poll() may have one."""
        loop = asyncio.get_running_loop()
        readable: asyncio.Future[None] = loop.create_future()
        file = int(self._cxx.file(self))
        loop.add_reader(file, _finish, readable)
        try:
            await readable
        finally:
            loop.remove_reader(file)

    async def read_async(self) -> str | None:
        """As read(), in an event loop."""
        while True:
            result = self.poll()
            if isinstance(result, str):
                return result
            if not result:
                return None
            await self.wait()

    def cancel(self) -> None:
        """Ends the work on it."""
        self._cxx.cancel(self)


class Stream(Iterator[ChatCompletionChunk]):
    """The chunks of an answer as they come. Ends the work on it when it is closed or nobody holds it any more."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __next__(self) -> ChatCompletionChunk:
        chunk = self._answer.read()
        if chunk is None:
            raise StopIteration
        return ChatCompletionChunk.model_validate_json(chunk)

    def close(self) -> None:
        """Ends the work on the answer."""
        self._answer.cancel()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncStream(AsyncIterator[ChatCompletionChunk]):
    """The chunks of an answer as they come. Ends the work on it when it is closed or nobody holds it any more."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._reading = asyncio.Lock()  # an event loop has one callback for a file

    async def __anext__(self) -> ChatCompletionChunk:
        async with self._reading:
            chunk = await self._answer.read_async()
        if chunk is None:
            raise StopAsyncIteration
        return ChatCompletionChunk.model_validate_json(chunk)

    async def close(self) -> None:
        """Ends the work on the answer."""
        self._answer.cancel()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
