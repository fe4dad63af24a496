"""How good a model is: perplexity of texts, and right answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from carat import _arguments, _native
from carat._progress import Progress, reporting
from carat.types import Evaluation, Perplexity

if TYPE_CHECKING:
    from carat._compile import StrPath


def perplexity(
    model: StrPath,
    *,
    text: str | None = None,
    file: StrPath | None = None,
    method: Literal["sliding", "llama.cpp"] = "sliding",
    context: int | None = None,
    stride: int | None = None,
    num_threads: int | None = None,
    progress: Progress = None,
) -> Perplexity:
    """Measures how well a model predicts a text, as `carat perplexity` does.

    Parameters
    ----------
    model
        A compiled folder; or a model, which is compiled first, as :func:`load` does.
    text, file
        The text, or the file (UTF-8) that has it.
    method
        "sliding": Hugging Face's windows; "llama.cpp": the chunks that llama-perplexity scores.
    context
        Tokens of a window; by default the model's context window, at most 2048; for llama.cpp, 512.
    stride
        Tokens from one sliding window to the next; by default half a window.
    num_threads
        How many threads compute; by default one a physical core.
    progress
        A bar or a function; see :data:`carat.Progress`.

    Raises
    ------
    InvalidArgumentError
        If arguments do not go together.
    Error
        If the model or the file cannot be read, or the text is shorter than a window.
    KeyboardInterrupt
        On Ctrl-C.

    """
    options = {
        "model": _arguments.path(model, "model"),
        "text": text,
        "file": _arguments.optional_path(file, "file"),
        "method": method,
        "context": context,
        "stride": stride,
        "num_threads": num_threads,
    }
    with reporting(progress) as report:
        return Perplexity.model_validate_json(_native.function("perplexity")(options, report))


def evaluate(
    model: StrPath,
    *,
    tasks: StrPath | None = None,
    max_tokens: int = 256,
    limit: int | None = None,
    num_threads: int | None = None,
    progress: Progress = None,
) -> Evaluation:
    """Counts how many questions a model answers right, as `carat evaluate` does.

    Parameters
    ----------
    model
        A compiled folder; or a model, which is compiled first, as :func:`load` does.
    tasks
        A file with a question a line: {"task": "sums", "prompt": "What is 1 plus 1?", "answer": "1 plus 1 is 2."};
        by default tasks.jsonl in the model's folder.
    max_tokens
        Of an answer at most.
    limit
        Questions of each task at most; by default all.
    num_threads
        How many threads compute; by default one a physical core.
    progress
        A bar or a function; see :data:`carat.Progress`.

    Raises
    ------
    Error
        If the model cannot be read, or the file has a line that is wrong, which the message names.
    KeyboardInterrupt
        On Ctrl-C.

    """
    options = {
        "model": _arguments.path(model, "model"),
        "tasks": _arguments.optional_path(tasks, "tasks"),
        "max_tokens": max_tokens,
        "limit": limit,
        "num_threads": num_threads,
    }
    with reporting(progress) as report:
        return Evaluation.model_validate_json(_native.function("evaluate")(options, report))
