"""carat.load: a compiled model without an engine."""

from __future__ import annotations

import gc
import json
import pathlib
import subprocess

import carat
import numpy as np
import pytest
from carat import Model
from conftest import ANSWER, QUESTION, SOURCE, run_python

PROMPT = [2, 105, 7, 9, 11, 300, 42]


def logits_of(model: Model, tokens: list[int]) -> np.ndarray:
    return np.from_dlpack(model.forward(model.create_state(), tokens)).copy()


def test_answers_greedily_what_the_engine_answers(model: Model) -> None:
    text = model.tokenizer.apply_chat_template(QUESTION)
    tokens = np.array(model.tokenizer.encode(text, add_special_tokens=False), dtype=np.int32)
    state = model.create_state(max_tokens=512)
    answer: list[int] = []
    while len(answer) < 30:
        logits = np.from_dlpack(model.forward(state, tokens, logits="last"))
        answer.append(int(logits[0].argmax()))
        if model.tokenizer.decode(answer) == ANSWER:
            break
        tokens = np.array(answer[-1:], dtype=np.int32)
    assert model.tokenizer.decode(answer) == ANSWER


def test_gives_the_logits_of_the_command_line(
    model: Model, program: pathlib.Path, dist: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    np.save(tmp_path / "tokens.npy", np.array(PROMPT, dtype=np.int32))
    files = ["--tokens", tmp_path / "tokens.npy", "--output", tmp_path / "logits.npy"]
    subprocess.run([program, "logits", dist, *files], check=True, capture_output=True)
    np.testing.assert_array_equal(logits_of(model, PROMPT), np.load(tmp_path / "logits.npy"))


def test_steps_may_be_of_any_size(model: Model) -> None:
    whole = logits_of(model, PROMPT)
    assert whole.shape == (len(PROMPT), model.vocab_size) and whole.dtype == np.float32
    state = model.create_state()
    rows = [np.from_dlpack(model.forward(state, [token])).copy() for token in PROMPT]
    assert len(state) == len(PROMPT)
    np.testing.assert_allclose(np.concatenate(rows), whole, atol=1e-3)


def test_gives_the_rows_that_are_asked_for(model: Model) -> None:
    whole = logits_of(model, PROMPT)
    last = np.from_dlpack(model.forward(model.create_state(), PROMPT, logits="last"))
    np.testing.assert_array_equal(last, whole[-1:])
    state = model.create_state()
    assert model.forward(state, PROMPT[:-1], logits="none").shape == (0, model.vocab_size)
    np.testing.assert_allclose(
        np.from_dlpack(model.forward(state, PROMPT[-1:])), whole[-1:], atol=1e-3
    )
    with pytest.raises(carat.InvalidArgumentError, match="'some'"):
        model.forward(state, PROMPT, logits="some")  # type: ignore[arg-type]


def test_a_text_longer_than_a_step(model: Model) -> None:
    tokens = [2] + [5 + i % 200 for i in range(1200)]  # prefill_chunk_size is 512
    whole = logits_of(model, tokens)
    last = np.from_dlpack(model.forward(model.create_state(), tokens, logits="last"))
    np.testing.assert_array_equal(last, whole[-1:])


def test_a_state_forgets(model: Model) -> None:
    state = model.create_state()
    first = np.from_dlpack(model.forward(state, PROMPT)).copy()
    assert state.truncate(3) == 3 and len(state) == 3
    again = np.from_dlpack(model.forward(state, PROMPT[3:])).copy()
    np.testing.assert_allclose(again, first[3:], atol=1e-3)
    state.reset()
    assert len(state) == 0
    with pytest.raises(carat.InvalidArgumentError, match="length"):
        state.truncate(-1)


def test_a_state_has_its_limit(model: Model) -> None:
    state = model.create_state(max_tokens=4)
    assert state.max_tokens == 4
    with pytest.raises(carat.InvalidArgumentError, match="tokens has 5.*max_tokens 4"):
        model.forward(state, [2] * 5)
    model.forward(state, [2] * 4)
    for wrong in (0, -1, model.context_window_size + 1):
        with pytest.raises(carat.InvalidArgumentError, match="max_tokens"):
            model.create_state(wrong)


def test_states_are_as_many_as_the_model_was_compiled_for(model: Model) -> None:
    gc.collect()
    states = [model.create_state() for _ in range(model.metadata["max_batch_size"])]
    with pytest.raises(carat.Error, match="sequences"):
        model.create_state()
    states.pop()
    states.append(model.create_state())


def test_a_state_belongs_to_its_model(model: Model, dist: pathlib.Path) -> None:
    with pytest.raises(carat.Error, match="another model"):
        carat.load(dist).forward(model.create_state(), [2])


def test_a_state_outlives_the_name_of_its_model(dist: pathlib.Path) -> None:
    model = carat.load(dist)
    state = model.create_state()
    model.forward(state, PROMPT)
    del model
    gc.collect()
    assert len(state) == len(PROMPT)


def test_tells_about_itself(model: Model, dist: pathlib.Path) -> None:
    assert model.metadata == json.loads((dist / "carat-config.json").read_text())["metadata"]
    assert model.metadata["carat_version"] == carat.__version__
    assert pathlib.Path(model.folder) == dist
    assert model.num_threads >= 1
    assert carat.load(dist, num_threads=1).num_threads == 1


def test_encodes_and_decodes(model: Model) -> None:
    tokens = model.tokenizer.encode("naïve 🙂")
    assert (
        tokens[0] == 2
        and model.tokenizer.encode("naïve 🙂", add_special_tokens=False) == tokens[1:]
    )
    assert model.tokenizer.decode(tokens) == "naïve 🙂"
    assert model.tokenizer.decode(np.array(tokens), skip_special_tokens=False) == "<bos>naïve 🙂"
    with pytest.raises(carat.InvalidArgumentError, match="content"):
        model.tokenizer.apply_chat_template([{"role": "user"}])
    with pytest.raises(carat.Error, match="tokenizer.json"):
        carat.Tokenizer(SOURCE / "docs")


@pytest.mark.parametrize("folder", ["/nowhere", str(SOURCE / "docs")])
def test_refuses_what_was_not_compiled(folder: str) -> None:
    with pytest.raises(carat.Error, match=folder):
        carat.load(folder)


def test_objects_are_not_made_by_hand() -> None:
    for cls in (carat.Model, carat.State):
        with pytest.raises(TypeError):
            cls()


@pytest.mark.parametrize(
    "name", ["AsyncStream", "Progress", "State", "Tokenizer", "compile", "evaluate"]
)
def test_any_name_may_be_asked_for_first(name: str) -> None:
    done = run_python(f"import carat; print(carat.{name})")
    assert name in done.stdout or name == "Progress", done.stderr


def test_prints_its_version() -> None:
    done = run_python("import carat; print(carat.__version__)")
    assert done.stdout.strip() == (SOURCE / "VERSION").read_text().strip()
    assert done.stderr == ""
