"""Models in other formats: for MLC-LLM and WebLLM, for llama.cpp, for transformers."""

from __future__ import annotations

import pathlib
import warnings
from typing import TYPE_CHECKING, Literal

from carat import _arguments, _native
from carat._progress import Progress, reporting

if TYPE_CHECKING:
    from carat._compile import StrPath

MlcQuantization = Literal["q4f16_1", "q4f32_1", "q0f16", "q0f32"]


def convert_weight(
    config: StrPath,
    *,
    quantization: MlcQuantization,
    output: StrPath,
    source: StrPath | None = None,
    progress: Progress = None,
) -> pathlib.Path:
    """Writes a model's weights as MLC-LLM and WebLLM read them, as `carat convert_weight` does.

    Parameters
    ----------
    config
        A Hugging Face folder, or its config.json.
    quantization
        What weights are stored as.
    output
        The folder to write into. A library that was compiled there is out of date then, which a warning says.
    source
        The folder of the weights; by default that of `config`.
    progress
        A bar or a function; see :data:`carat.Progress`.

    Returns
    -------
    output

    Raises
    ------
    Error
        If the model cannot be read or does not fit the quantization, or the folder cannot be written.
    KeyboardInterrupt
        On Ctrl-C. Nothing is left behind then.

    """
    options = {
        "config": _arguments.path(config, "config"),
        "quantization": quantization,
        "output": _arguments.path(output, "output"),
        "source": _arguments.optional_path(source, "source"),
    }
    outdated: list[str] = []
    try:
        with reporting(progress) as report:
            _native.function("convert_weight")(options, report, outdated.append)
    finally:
        for message in outdated:
            warnings.warn(message, stacklevel=2)
    return pathlib.Path(output)


def gen_config(
    config: StrPath,
    *,
    quantization: MlcQuantization,
    conv_template: Literal["gemma3_instruction", "gemma_instruction"],
    output: StrPath,
    model_type: Literal["gemma3", "gemma3_text"] | None = None,
    context_window_size: int | None = None,
    sliding_window_size: int | None = None,
    prefill_chunk_size: int | None = None,
    max_batch_size: int = 128,
) -> pathlib.Path:
    """Writes mlc-chat-config.json and the tokenizer for MLC-LLM and WebLLM, as `carat gen_config` does.

    Parameters
    ----------
    config
        A Hugging Face folder, or its config.json.
    quantization
        What :func:`convert_weight` stores weights as.
    conv_template
        How a conversation is written.
    output
        The folder to write into. A library that was compiled there is out of date then, which a warning says.
    model_type
        Of the architecture; by default config.json's.
    context_window_size
        Tokens of a text at most; by default the model's, at most 8192.
    sliding_window_size
        Tokens that sliding layers see; by default the model's.
    prefill_chunk_size
        Tokens of one forward call at most; by default the context window, at most 8192.
    max_batch_size
        Sequences of one forward call at most.

    Returns
    -------
    path
        Of mlc-chat-config.json.

    Raises
    ------
    InvalidArgumentError
        If a size is less than 1.
    Error
        If the model cannot be read, the sizes do not fit it, or the folder cannot be written.

    """
    options = {
        "config": _arguments.path(config, "config"),
        "quantization": quantization,
        "conv_template": conv_template,
        "output": _arguments.path(output, "output"),
        "model_type": model_type,
        "context_window_size": context_window_size,
        "sliding_window_size": sliding_window_size,
        "prefill_chunk_size": prefill_chunk_size,
        "max_batch_size": max_batch_size,
    }
    outdated: list[str] = []
    try:
        return pathlib.Path(str(_native.function("gen_config")(options, outdated.append)))
    finally:
        for message in outdated:
            warnings.warn(message, stacklevel=2)


def export(
    model: StrPath,
    *,
    format: Literal["gguf", "safetensors"],
    output: StrPath,
    quantization: str | None = None,
    embedding_quantization: str | None = None,
    progress: Progress = None,
) -> pathlib.Path:
    """Writes a model as a GGUF file or as Hugging Face's safetensors, as `carat export` does.

    Parameters
    ----------
    model
        A Hugging Face folder, a GGUF file or a folder of MLC-LLM's.
    format
        "gguf", for llama.cpp; "safetensors", for transformers.
    output
        The file to write. Beside model.safetensors go config.json and the tokenizer.
    quantization
        How matrices are stored: q4_0, q8_0, q0f16, q0bf16 or q0f32; by default as they are. All of a safetensors file
        is in one of the last three.
    embedding_quantization
        The same for the embedding table of a GGUF file; by default as `quantization`.
    progress
        A bar or a function; see :data:`carat.Progress`.

    Returns
    -------
    output

    Raises
    ------
    Error
        If the model cannot be read, the format cannot have the quantization, or the file cannot be written.
    KeyboardInterrupt
        On Ctrl-C. Nothing is left behind then.

    """
    options = {
        "model": _arguments.path(model, "model"),
        "format": format,
        "output": _arguments.path(output, "output"),
        "quantization": quantization,
        "embedding_quantization": embedding_quantization,
    }
    with reporting(progress) as report:
        _native.function("export")(options, report)
    return pathlib.Path(output)
