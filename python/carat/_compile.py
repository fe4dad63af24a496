"""Models to compiled folders."""

from __future__ import annotations

import os
import pathlib

from carat import _arguments, _native
from carat._progress import Progress, reporting

StrPath = str | os.PathLike[str]


def compile(
    model: StrPath,
    *,
    quantization: str | None = None,
    embedding_quantization: str | None = None,
    device: str = "cpu",
    target: str = "native",
    output: StrPath | None = None,
    context_window_size: int | None = None,
    sliding_window_size: int | None = None,
    prefill_chunk_size: int | None = None,
    max_batch_size: int | None = None,
    overrides: str | None = None,
    opt: str = "O3",
    debug_dump: StrPath | None = None,
    progress: Progress = None,
) -> pathlib.Path:
    """Compiles a model, as `carat compile` does, and returns the compiled folder.

    Parameters
    ----------
    model
        A Hugging Face folder, a GGUF file or a folder of MLC-LLM's.
    quantization
        How matrices are stored: q4_0, q8_0, q4f16_1, q0f32, ...; by default q4_0 for a Hugging Face folder and what
        is stored for others; for browsers q4f16_1 or q4f32_1.
    embedding_quantization
        The same for the embedding table; by default as `quantization`.
    device, target
        What to compile for: "cpu", and its instruction set ("native", "x86-64-v3", ...); or "webgpu", for browsers.
    output
        The folder to write, or a library FILE.so in the model's; by default dist/<model>-<quantization>-<device>.
    context_window_size, sliding_window_size
        In tokens; by default the model's.
    prefill_chunk_size, max_batch_size
        Tokens and sequences of one forward call at most.
    overrides
        Fields of config.json with other values: "rope_theta=1e6;context_window_size=4096".
    opt
        How much is optimised: O0 to O3.
    debug_dump
        A folder for what each step of the compiler makes.
    progress
        A bar or a function; see :data:`carat.Progress`.

    Raises
    ------
    Error
        If the model cannot be read, does not fit the options, or no C++ compiler is found.
    KeyboardInterrupt
        On Ctrl-C. Nothing is left behind then.

    """
    options = {
        "model": _arguments.path(model, "model"),
        "quantization": quantization,
        "embedding_quantization": embedding_quantization,
        "device": device,
        "target": target,
        "output": _arguments.optional_path(output, "output"),
        "context_window_size": context_window_size,
        "sliding_window_size": sliding_window_size,
        "prefill_chunk_size": prefill_chunk_size,
        "max_batch_size": max_batch_size,
        "overrides": overrides,
        "opt": opt,
        "debug_dump": _arguments.optional_path(debug_dump, "debug_dump"),
    }
    with reporting(progress) as report:
        return pathlib.Path(str(_native.function("compile")(options, report)))
