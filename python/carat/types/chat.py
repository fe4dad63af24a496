"""Chat completions, whole and in chunks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

FinishReason = Literal["stop", "length"]

_READ_FROM_JSON = ConfigDict(cache_strings="keys")
"""Without it the text and the id of every answer would stay in a cache of pydantic's."""


class TopLogprob(BaseModel):
    """One of the likeliest tokens at a place."""

    token: str
    logprob: float
    """Natural logarithm of its probability."""
    bytes: list[int] | None = None
    """UTF-8 of the token's text."""


class ChatCompletionTokenLogprob(TopLogprob):
    """The token at a place, and the likeliest ones there."""

    top_logprobs: list[TopLogprob]


class ChoiceLogprobs(BaseModel):
    """The tokens of an answer, or of a chunk of it."""

    content: list[ChatCompletionTokenLogprob] | None = None
    refusal: list[ChatCompletionTokenLogprob] | None = None


class PromptTokensDetails(BaseModel):
    """How the prompt was read."""

    cached_tokens: int = 0
    """Tokens that the KV cache held already."""


class CompletionUsage(BaseModel):
    """How many tokens a request took."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    completion_tokens_details: None = None  # of OpenAI's; this engine has no other kinds of tokens
    prompt_tokens_details: PromptTokensDetails | None = None


class ChatCompletionMessage(BaseModel):
    """The answer."""

    role: Literal["assistant"]
    content: str | None = None
    refusal: str | None = None
    tool_calls: None = None  # of OpenAI's; this engine calls no tools
    function_call: None = None


class Choice(BaseModel):
    """One of the `n` answers."""

    index: int
    message: ChatCompletionMessage
    finish_reason: FinishReason
    """"stop": it has ended by itself or at a stop text; "length": at max_tokens or the end of the context window."""
    logprobs: ChoiceLogprobs | None = None


class ChatCompletion(BaseModel):
    """What `create(...)` returns."""

    model_config = _READ_FROM_JSON

    id: str
    object: Literal["chat.completion"]
    created: int
    """Seconds since 1970."""
    model: str
    system_fingerprint: str | None = None
    choices: list[Choice]
    usage: CompletionUsage | None = None


class ChoiceDelta(BaseModel):
    """What a chunk adds to the answer."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    refusal: str | None = None
    tool_calls: None = None  # of OpenAI's; this engine calls no tools
    function_call: None = None


class ChunkChoice(BaseModel):
    """A chunk's part of one of the `n` answers."""

    index: int
    delta: ChoiceDelta
    finish_reason: FinishReason | None = None
    """Set in an answer's last chunk."""
    logprobs: ChoiceLogprobs | None = None


class ChatCompletionChunk(BaseModel):
    """What iterating over `create(..., stream=True)` gives."""

    model_config = _READ_FROM_JSON

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    """Seconds since 1970."""
    model: str
    system_fingerprint: str | None = None
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = None
    """In the last chunk, which has no choices, if `stream_options` asks for it."""
