"""How well a model predicts a text."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Perplexity(BaseModel):
    """What :func:`carat.perplexity` measured, as `carat perplexity --json` prints it."""

    model: str
    """The compiled folder."""
    quantization: str
    num_threads: int
    file: str | None = None
    """The text's; None for a text that was given itself."""
    bytes: int
    tokens: int
    """Of the whole text, special tokens included."""
    method: Literal["sliding", "llama.cpp"]
    context: int
    """Tokens of a window."""
    stride: int | None = None
    """Tokens from one window to the next; None for llama.cpp's chunks, which do not overlap."""
    windows: int
    scored_tokens: int
    mean_nll: float
    """Nats a token: the mean of -log of the probability that the model gave it."""
    mean_nll_standard_error: float | None = None
    """As if tokens were independent; None for a single one."""
    bits_per_byte: float
    perplexity: float
    """exp(mean_nll)"""
    perplexity_standard_error: float | None = None
