"""Models that are not compiled yet, where a compiled folder is expected: compiled once, into the cache."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import threading

import carat
import numpy as np
import pytest
from conftest import ANSWER, DEMO, QUESTION, run_python


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A cache with models/demo in it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def in_cache(cache: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    if not (cache / "carat").exists():
        carat.load(DEMO)
    return cache / "carat"


@pytest.fixture
def empty_cache(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def contents(folder: pathlib.Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


def slow_compiler(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Makes compilations stop at their library until they are interrupted; returns what exists from then on."""
    started, compiler = tmp_path / "started", tmp_path / "c++"
    compiler.write_text(
        f'#!/bin/sh\ncase "$*" in *-O3*) touch {started}; exec sleep 100;; *) exec g++ "$@";; esac\n'
    )
    compiler.chmod(0o700)
    monkeypatch.setenv("CXX", str(compiler))
    return started


def test_load_takes_a_model(in_cache: pathlib.Path, dist: pathlib.Path) -> None:
    compiled, model = carat.load(dist), carat.load(DEMO)
    assert pathlib.Path(model.folder).parent == in_cache
    tokens = model.tokenizer.encode(ANSWER)
    logits = [
        np.from_dlpack(each.forward(each.create_state(), tokens)) for each in (compiled, model)
    ]
    assert np.array_equal(*logits)


def test_engine_takes_a_model(in_cache: pathlib.Path) -> None:
    with carat.Engine(DEMO) as engine:
        assert (
            engine.chat.completions.create(messages=QUESTION).choices[0].message.content == ANSWER
        )


def test_async_engine_takes_a_model(in_cache: pathlib.Path) -> None:
    engine = carat.AsyncEngine(DEMO)
    assert engine.model.startswith("demo-")
    engine.close()


def test_a_model_is_compiled_once(in_cache: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(in_cache)
    monkeypatch.setenv("CXX", "/nonexistent/c++")
    calls: list[str] = []
    carat.load(DEMO, progress=lambda step, fraction: calls.append(step))
    assert calls == [] and contents(in_cache) == before


def test_another_build_of_carat_compiles_again(
    in_cache: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = pathlib.Path(os.environ["CARAT_NATIVE"])
    shutil.copyfile(native / "libcarat.so", tmp_path / "libcarat.so")
    os.utime(tmp_path / "libcarat.so", (1, 1))
    monkeypatch.setenv("CXX", "/nonexistent/c++")
    code = f"import carat; carat.load({str(DEMO)!r})"
    assert run_python(code).returncode == 0
    monkeypatch.setenv("CARAT_NATIVE", str(tmp_path))
    assert "/nonexistent/c++" in run_python(code).stderr


def test_a_compiled_folder_may_be_named_by_its_library(dist: pathlib.Path) -> None:
    assert carat.load(dist / "model.so").folder == str(dist)


def test_progress_goes_from_0_to_1(empty_cache: pathlib.Path) -> None:
    calls: list[tuple[str, float]] = []
    carat.load(DEMO, progress=lambda step, fraction: calls.append((step, fraction)))
    fractions = [fraction for _, fraction in calls]
    assert fractions[0] == 0 and fractions[-1] == 1 and fractions == sorted(fractions)
    assert "packing weights" in [step for step, _ in calls]


def test_an_exception_in_a_callback_ends_the_compilation_and_leaves_nothing(
    empty_cache: pathlib.Path,
) -> None:
    class EnoughError(Exception):
        pass

    def stop(step: str, fraction: float) -> None:
        if fraction > 0.2:
            raise EnoughError(step)

    with pytest.raises(EnoughError, match="packing weights"):
        carat.load(DEMO, progress=stop)
    assert contents(empty_cache) == [str(empty_cache / "carat")]


def test_ctrl_c_ends_the_compilation_and_leaves_nothing(
    empty_cache: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = slow_compiler(tmp_path, monkeypatch)

    def interrupt() -> None:
        while not started.exists():
            pass_time.wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    pass_time = threading.Event()
    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        carat.Engine(DEMO)
    thread.join()
    assert contents(empty_cache) == [str(empty_cache / "carat")]


def test_text_needs_a_tokenizer(empty_cache: pathlib.Path, tmp_path: pathlib.Path) -> None:
    model = shutil.copytree(DEMO, tmp_path / "model")
    (model / "tokenizer.json").unlink()
    with pytest.raises(carat.Error, match="tokenizer.json"):
        carat.Engine(model)
    assert not empty_cache.exists()


def test_what_is_no_model_is_refused(empty_cache: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for path in [tmp_path / "nowhere", tmp_path, tmp_path / "text.txt"]:
        (tmp_path / "text.txt").write_text("hello")
        with pytest.raises(carat.Error, match=str(path)):
            carat.load(path)
