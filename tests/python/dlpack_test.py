"""Arrays in and out of Model.forward: shared where they can be, refused in words where they cannot be read."""

from __future__ import annotations

import gc
import importlib
import os
import pathlib
from typing import Any

import carat
import numpy as np
import pytest
from carat import Model

PROMPT = [2, 105, 7, 9]


def forward(model: Model, tokens: Any) -> np.ndarray:
    return np.from_dlpack(model.forward(model.create_state(), tokens))


def read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "tokens",
    [
        tuple(PROMPT),
        np.array(PROMPT, dtype=np.int32),
        np.array(PROMPT, dtype=np.int64),
        np.repeat(np.array(PROMPT, dtype=np.int32), 3)[::3],
        np.array(PROMPT[::-1], dtype=np.int64)[::-1],
        np.array([[t, 0] for t in PROMPT], dtype=np.int32)[:, 0],
        read_only(np.array(PROMPT, dtype=np.int32)),
    ],
    ids=["tuple", "int32", "int64", "strided", "reversed", "column", "read-only"],
)
def test_takes_token_ids_in_many_forms(model: Model, tokens: Any) -> None:
    np.testing.assert_array_equal(forward(model, tokens), forward(model, PROMPT))


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (np.array(PROMPT, dtype=np.float32), r"tokens: is float32\[4\], expected int32 or int64"),
        (np.array(PROMPT, dtype=np.uint8), r"tokens: is uint8\[4\]"),
        (np.array([PROMPT]), r"tokens: is int64\[1, 4\]"),
        (np.array(2), r"tokens: is int64\[\]"),
        (np.array([], dtype=np.int32), "tokens is empty"),
        ([], "tokens is empty"),
        ([2, -1], r"tokens\[1\] is -1"),
        (np.array([2, 10**6]), r"tokens\[1\] is 1000000"),
        ([2, 2**40], r"tokens\[1\]"),
        (["2"], "tokens"),
        ([2.5], "tokens"),
        ("hello", "tokens"),
        (None, "tokens"),
        (5, "tokens"),
    ],
)
def test_refuses_other_token_ids_by_name(model: Model, tokens: Any, message: str) -> None:
    with pytest.raises(carat.InvalidArgumentError, match=message):
        forward(model, tokens)


def test_logits_share_their_memory(model: Model) -> None:
    logits = model.forward(model.create_state(), PROMPT)
    view = np.from_dlpack(logits)
    assert view.ctypes.data == np.from_dlpack(logits).ctypes.data
    assert view.ctypes.data % 64 == 0


def test_logits_outlive_everything_else(dist: pathlib.Path) -> None:
    model = carat.load(dist)
    logits = np.from_dlpack(model.forward(model.create_state(), PROMPT))
    copy = logits.copy()
    del model
    gc.collect()
    np.testing.assert_array_equal(logits, copy)


def test_writes_into_memory_of_the_caller(model: Model) -> None:
    out = np.full((4, model.vocab_size), np.nan, dtype=np.float32)
    result = model.forward(model.create_state(), PROMPT, out=out)
    assert np.from_dlpack(result).ctypes.data == out.ctypes.data
    np.testing.assert_array_equal(out, forward(model, PROMPT))
    del result
    gc.collect()
    assert np.isfinite(out).all()


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (
            lambda v: np.empty((4, v), dtype=np.float64),
            r"out: is float64\[4, \d+\], expected contiguous float32",
        ),
        (lambda v: np.empty((3, v), dtype=np.float32), r"out: is float32\[3, \d+\]"),
        (lambda v: np.empty(4 * v, dtype=np.float32), r"out: is float32\[\d+\]"),
        (lambda v: np.empty((4, 2 * v), dtype=np.float32)[:, ::2], "out: is non-contiguous"),
        (lambda v: np.empty((v, 4), dtype=np.float32).T, "out: is non-contiguous"),
        (lambda v: read_only(np.empty((4, v), dtype=np.float32)), "out: is read-only"),
    ],
    ids=["float64", "rows", "rank", "strided", "transposed", "read-only"],
)
def test_refuses_other_memory_by_name(model: Model, out: Any, message: str) -> None:
    state = model.create_state()
    with pytest.raises(carat.InvalidArgumentError, match=message):
        model.forward(state, PROMPT, out=out(model.vocab_size))
    assert len(state) == 0  # nothing was computed


def library_of_arrays(name: str) -> Any:
    """If it is installed, as it must be where CARAT_TEST_ARRAYS names it."""
    if os.environ.get("CARAT_TEST_ARRAYS") == name:
        return importlib.import_module(name)
    return pytest.importorskip(name)


def test_torch(model: Model) -> None:
    torch = library_of_arrays("torch")
    logits = model.forward(model.create_state(), torch.tensor(PROMPT))
    shared = torch.from_dlpack(logits)
    assert shared.data_ptr() == np.from_dlpack(logits).ctypes.data
    np.testing.assert_array_equal(shared.numpy(), forward(model, PROMPT))
    strided = torch.tensor(PROMPT, dtype=torch.int32).repeat_interleave(3)[::3]
    np.testing.assert_array_equal(forward(model, strided), shared.numpy())
    out = torch.empty((4, model.vocab_size))
    result = model.forward(model.create_state(), PROMPT, out=out)
    assert torch.from_dlpack(result).data_ptr() == out.data_ptr()
    np.testing.assert_array_equal(out.numpy(), shared.numpy())
    del logits, result, model
    gc.collect()
    assert shared.isfinite().all() and out.isfinite().all()


def test_torch_is_refused_by_name(model: Model) -> None:
    torch = library_of_arrays("torch")
    for tokens in (
        torch.tensor(PROMPT, dtype=torch.bfloat16),
        torch.tensor([PROMPT]),
        torch.tensor(PROMPT) + 10**6,
    ):
        with pytest.raises(carat.InvalidArgumentError, match="tokens"):
            forward(model, tokens)
    for out in (
        torch.empty((4, model.vocab_size), dtype=torch.float16),
        torch.empty((model.vocab_size, 4)).T,
    ):
        with pytest.raises(carat.InvalidArgumentError, match="out"):
            model.forward(model.create_state(), PROMPT, out=out)
    if torch.cuda.is_available():
        with pytest.raises(carat.InvalidArgumentError, match="tokens.*CPU memory"):
            forward(model, torch.tensor(PROMPT, device="cuda"))


def test_jax(model: Model) -> None:
    jax = library_of_arrays("jax")
    tokens = jax.numpy.array(PROMPT)
    logits = model.forward(model.create_state(), tokens)
    np.testing.assert_array_equal(np.asarray(tokens), PROMPT)
    shared = jax.dlpack.from_dlpack(logits)
    assert shared.unsafe_buffer_pointer() == np.from_dlpack(logits).ctypes.data
    np.testing.assert_array_equal(np.asarray(shared), forward(model, PROMPT))
    del logits, model
    gc.collect()
    assert jax.numpy.isfinite(shared).all()


def test_jax_is_refused_by_name(model: Model) -> None:
    jax = library_of_arrays("jax")
    for tokens in (jax.numpy.array(PROMPT, dtype="bfloat16"), jax.numpy.array([PROMPT])):
        with pytest.raises(carat.InvalidArgumentError, match="tokens"):
            forward(model, tokens)
    with pytest.raises(carat.InvalidArgumentError, match="out: is read-only"):
        model.forward(model.create_state(), PROMPT, out=jax.numpy.zeros((4, model.vocab_size)))
