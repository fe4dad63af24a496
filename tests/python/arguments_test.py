"""Wrong arguments are refused by name, in Python's words."""

from __future__ import annotations

import copy
import os
import pathlib
import pickle
import shutil
from typing import Any

import carat
import numpy as np
import pytest
from carat import Model
from conftest import DEMO


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (None, "is a NoneType, expected a path"),
        (7, "is a int, expected a path"),
        ("models\0demo", "contains a NUL"),
        (b"models\0demo", "contains a NUL"),
        (os.fsdecode(b"caf\xe9"), "is not UTF-8"),
    ],
)
def test_a_wrong_path(wrong: Any, message: str) -> None:
    calls = {
        "model": [
            lambda: carat.load(wrong),
            lambda: carat.Engine(wrong),
            lambda: carat.compile(wrong),
            lambda: carat.export(wrong, format="gguf", output="x"),
            lambda: carat.perplexity(wrong, text="x"),
            lambda: carat.evaluate(wrong),
        ],
        "path": [lambda: carat.inspect(wrong)],
        "folder": [lambda: carat.Tokenizer(wrong)],
        "config": [
            lambda: carat.convert_weight(wrong, quantization="q0f16", output="x"),
            lambda: carat.gen_config(
                wrong, quantization="q0f16", conv_template="gemma3_instruction", output="x"
            ),
        ],
    }
    for name, each in calls.items():
        for call in each:
            with pytest.raises(carat.InvalidArgumentError, match=f"^{name}: .*{message}"):
                call()


def test_a_path_in_bytes(dist: pathlib.Path) -> None:
    assert carat.load(os.fsencode(dist)).vocab_size == carat.load(str(dist)).vocab_size


@pytest.mark.parametrize(
    ("option", "wrong", "message"),
    [
        ("quantization", b"q4_0", "quantization: is bytes, expected text"),
        ("prefill_chunk_size", "many", "prefill_chunk_size: is text, expected an integer"),
        ("max_batch_size", 1.5, "max_batch_size: is a float, expected an integer"),
        ("overrides", {"a": 1}, "overrides: is a dict, expected text"),
        ("output", "a\0b", "output: contains a NUL"),
    ],
)
def test_a_wrong_option(option: str, wrong: Any, message: str, tmp_path: pathlib.Path) -> None:
    options = {"output": tmp_path / "demo", option: wrong}
    with pytest.raises(carat.InvalidArgumentError, match=message):
        carat.compile(DEMO, **options)


def test_wrong_arguments_of_methods(model: Model) -> None:
    state = model.create_state(64)
    array: Any = np.zeros(2)
    cases: list[tuple[str, Any]] = [
        ("max_tokens", lambda: model.create_state(1.5)),  # type: ignore[arg-type]
        ("max_tokens", lambda: model.create_state(2**63)),
        ("length", lambda: state.truncate("x")),  # type: ignore[arg-type]
        ("state", lambda: model.forward(None, [2])),  # type: ignore[arg-type]
        ("logits", lambda: model.forward(state, [2], logits=None)),  # type: ignore[arg-type]
        ("out", lambda: model.forward(state, [2], out=0)),  # type: ignore[arg-type]
        ("out", lambda: model.forward(state, [2], out=[[0.0]])),  # type: ignore[arg-type]
        ("out", lambda: model.forward(state, [2], out=np.zeros((1, 2048), ">f4"))),
        ("tokens", lambda: model.forward(state, np.array([1, 2], ">i4"))),
        ("tokens", lambda: model.forward(state, np.array(["a"]))),
        ("tokens", lambda: model.forward(state, np.array([1], np.complex64))),
        ("tokens", lambda: model.forward(state, b"ab")),  # type: ignore[arg-type]
        ("tokens: is a list of other things", lambda: model.forward(state, [array])),
        ("text", lambda: model.tokenizer.encode(None)),  # type: ignore[arg-type]
        ("text", lambda: model.tokenizer.encode("\ud800")),
        (
            r"messages\[0\].content",
            lambda: model.tokenizer.apply_chat_template([{"role": "user", "content": None}]),  # type: ignore[dict-item]
        ),
    ]
    for name, call in cases:
        with pytest.raises(carat.InvalidArgumentError, match=f"^{name}"):
            call()
    assert len(state) == 0 and bool(state)


def test_decodes_arrays_as_forward_reads_them(model: Model) -> None:
    read_only = np.frombuffer(b"\x02\0\0\0" * 3, np.int32)
    assert model.tokenizer.decode(read_only, skip_special_tokens=False) == "<bos>" * 3


def test_a_request_nested_without_end(dist: pathlib.Path) -> None:
    content: list[Any] = []
    for _ in range(100_000):
        content = [content]
    with carat.Engine(dist) as engine, pytest.raises(carat.InvalidArgumentError, match="nested"):
        engine.chat.completions.create(messages=[{"role": "user", "content": content}])


def test_what_lives_in_one_process_is_not_pickled(model: Model, dist: pathlib.Path) -> None:
    with carat.Engine(dist) as engine:
        for each in (model, model.create_state(), model.tokenizer, engine):
            for take in (pickle.dumps, copy.copy, copy.deepcopy):
                with pytest.raises(TypeError, match="make it in the process that uses it"):
                    take(each)


def test_a_name_with_spaces_and_accents(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    folder = shutil.copytree(dist, tmp_path / "café 🙂 model")
    assert carat.Engine(folder).model == "café 🙂 model"
