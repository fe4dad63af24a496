"""carat.perplexity and carat.evaluate: what the command line measures."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import carat
import pytest
from carat.types import Evaluation, Perplexity
from conftest import DEMO

SAMPLE = DEMO / "sample.txt"
QUESTIONS = """\
{"task": "capital", "prompt": "What is the capital of Peru?", "answer": "The capital of Peru is Lima."}
{"task": "capital", "prompt": "What is the capital of Iran?", "answer": "It is Cairo."}
{"task": "a sum", "prompt": "What is 1 plus 2?", "answer": " 1 plus 2 is 3."}
"""


@pytest.fixture
def tasks(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "tasks.jsonl"
    path.write_text(QUESTIONS)
    return path


def printed(*command: object) -> dict[str, Any]:
    """What the command line prints with --json."""
    run = subprocess.run([*map(str, command), "--json"], check=True, capture_output=True)
    result: dict[str, Any] = json.loads(run.stdout)
    return result


@pytest.mark.parametrize(
    "options",
    [{"context": 128}, {"context": 128, "stride": 32}, {"method": "llama.cpp", "context": 64}],
)
def test_perplexity_is_the_command_lines(
    dist: pathlib.Path, program: pathlib.Path, options: dict[str, Any]
) -> None:
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    expected = printed(program, "perplexity", dist, "--file", SAMPLE, "--threads", 1, *flags)
    result = carat.perplexity(dist, file=SAMPLE, num_threads=1, **options)
    assert isinstance(result, Perplexity)
    assert result.model_dump(exclude_none=True) == expected


def test_perplexity_of_a_text_is_that_of_its_file(dist: pathlib.Path) -> None:
    options: dict[str, Any] = {"context": 64, "stride": 64, "num_threads": 1}
    of_text = carat.perplexity(dist, text=SAMPLE.read_text(), **options)
    of_file = carat.perplexity(dist, file=SAMPLE, **options)
    assert of_text.file is None and of_file.file == str(SAMPLE)
    assert of_text.model_copy(update={"file": of_file.file}) == of_file


def test_a_single_token_has_no_standard_error(dist: pathlib.Path) -> None:
    result = carat.perplexity(dist, text="a", context=2)
    assert result.scored_tokens == 1 and result.perplexity > 1
    assert result.mean_nll_standard_error is None and result.perplexity_standard_error is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either text or file"),
        ({"text": "a", "file": "b"}, "either text or file"),
        ({"text": "a", "method": "bootstrap"}, "bootstrap"),
        ({"text": "a", "method": "llama.cpp", "stride": 1}, "stride"),
        ({"text": "a", "context": "many"}, "context"),
    ],
)
def test_perplexity_refuses_arguments_by_name(
    dist: pathlib.Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(carat.InvalidArgumentError, match=message):
        carat.perplexity(dist, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": ""}, "the text: is empty"),
        ({"text": "short"}, "needs at least"),
        ({"text": "a b c", "context": 0}, "scores none"),
        ({"text": "a b c", "context": 2, "stride": 3}, "stride of 3"),
        ({"file": "/nowhere/text.txt"}, "/nowhere/text.txt"),
    ],
)
def test_perplexity_says_what_cannot_be_measured(
    dist: pathlib.Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(carat.Error, match=message):
        carat.perplexity(dist, **options)


def test_evaluate_is_the_command_lines(
    dist: pathlib.Path, program: pathlib.Path, tasks: pathlib.Path
) -> None:
    expected = printed(
        program, "evaluate", dist, "--tasks", tasks, "--threads", 1, "--max-tokens", 50
    )
    result = carat.evaluate(dist, tasks=tasks, num_threads=1, max_tokens=50)
    assert isinstance(result, Evaluation)
    assert result.model_dump() == expected
    assert list(result.tasks) == ["capital", "a sum"]
    assert result.all.correct == 2 and not result.answers[1].correct


def test_evaluate_takes_at_most_the_limit_of_each_task(
    dist: pathlib.Path, tasks: pathlib.Path
) -> None:
    assert [answer.task for answer in carat.evaluate(dist, tasks=tasks, limit=1).answers] == [
        "capital",
        "a sum",
    ]


def test_evaluate_says_what_is_wrong(dist: pathlib.Path, tasks: pathlib.Path) -> None:
    with pytest.raises(carat.Error, match="tasks.jsonl: there is no such file"):
        carat.evaluate(dist)
    for name in ("limit", "max_tokens"):
        options: dict[str, Any] = {name: 0}
        with pytest.raises(carat.InvalidArgumentError, match=f"{name} is 0"):
            carat.evaluate(dist, tasks=tasks, **options)
    tasks.write_text(QUESTIONS + '{"task": 1}\n')
    with pytest.raises(carat.Error, match="tasks.jsonl:4: "):
        carat.evaluate(dist, tasks=tasks)


def measurements(dist: pathlib.Path, tasks: pathlib.Path) -> dict[str, Callable[..., object]]:
    """Both functions, with work that takes long."""
    tasks.write_text(QUESTIONS * 3000)
    text = SAMPLE.read_text() * 20
    return {
        "perplexity": lambda **more: carat.perplexity(
            dist, text=text, context=128, stride=1, **more
        ),
        "evaluate": lambda **more: carat.evaluate(dist, tasks=tasks, **more),
    }


def test_progress_goes_from_0_to_1(dist: pathlib.Path, tasks: pathlib.Path) -> None:
    for step, measure in [
        (
            "perplexity",
            lambda report: carat.perplexity(dist, file=SAMPLE, context=128, progress=report),
        ),
        ("evaluate", lambda report: carat.evaluate(dist, tasks=tasks, progress=report)),
    ]:
        calls: list[tuple[str, float]] = []
        measure(lambda step, fraction, calls=calls: calls.append((step, fraction)))
        assert {name for name, _ in calls} == {step}
        fractions = [fraction for _, fraction in calls]
        assert fractions[0] == 0 and fractions[-1] == 1
        assert len(fractions) > 2 and fractions == sorted(set(fractions))


@pytest.mark.parametrize("name", ["perplexity", "evaluate"])
def test_an_exception_in_a_callback_ends_the_work(
    dist: pathlib.Path, tasks: pathlib.Path, name: str
) -> None:
    class EnoughError(Exception):
        pass

    def stop(step: str, fraction: float) -> None:
        if fraction > 0:
            raise EnoughError(step)

    with pytest.raises(EnoughError, match=name):
        measurements(dist, tasks)[name](progress=stop)


@pytest.mark.parametrize("name", ["perplexity", "evaluate"])
def test_ctrl_c_ends_the_work(dist: pathlib.Path, tasks: pathlib.Path, name: str) -> None:
    sent = 0.0

    def interrupt() -> None:
        nonlocal sent
        sent = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    def start(step: str, fraction: float) -> None:
        if fraction == 0:
            threading.Timer(0.3, interrupt).start()

    with pytest.raises(KeyboardInterrupt):
        measurements(dist, tasks)[name](progress=start)
    assert sent > 0 and time.monotonic() - sent < 5
