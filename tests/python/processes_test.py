"""Threads, signals and processes: Python goes on while C++ computes, Ctrl-C ends it, and a fork is refused."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import threading
import time

import pytest
from carat import Model
from conftest import ANSWER, DEMO, run_python


def test_python_goes_on_while_the_model_computes(model: Model) -> None:
    computing = threading.Thread(
        target=lambda: model.forward(model.create_state(), [2] * 2000, logits="last")
    )
    ticks = 0
    computing.start()
    while computing.is_alive():
        time.sleep(0.001)
        ticks += 1
    assert ticks > 10


def test_two_threads_use_one_model(model: Model) -> None:
    expected = bytes(memoryview_of(model, [2, 7, 9]))
    results: list[bool] = []

    def run() -> None:
        for _ in range(20):
            results.append(bytes(memoryview_of(model, [2, 7, 9])) == expected)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert results == [True] * 80


def memoryview_of(model: Model, tokens: list[int]) -> memoryview:
    import numpy as np

    return np.from_dlpack(model.forward(model.create_state(), tokens)).data


INTERRUPTED = """
import carat, signal, sys, threading, time, os
{setup}
def interrupt():
    time.sleep({delay})
    interrupt.time = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    {work}
    print("was not interrupted")
except KeyboardInterrupt:
    took = time.monotonic() - interrupt.time
    print("interrupted" if took < {within} else f"after {{took}} s")
{after}
"""

LOAD_ENGINE = """
engine = carat.Engine(os.environ["CARAT_COMPILED_DEMO"])
question = [{"role": "user", "content": "What is the capital of France?"}]
def create(**options):
    return engine.chat.completions.create(messages=question, **options)
endless = {"ignore_eos": True, "max_tokens": 1000000}
"""


@pytest.mark.parametrize(
    "work", ["create(n=128, **endless)", "list(create(stream=True, n=128, **endless))"]
)
def test_ctrl_c_ends_a_generation(work: str) -> None:
    after = "print(create().choices[0].message.content)"
    code = INTERRUPTED.format(setup=LOAD_ENGINE, delay=0.3, within=0.2, work=work, after=after)
    for _ in range(3):  # other programs may have the processor for that long
        done = run_python(code)
        if done.stdout.startswith("interrupted"):
            break
    assert done.stdout.splitlines() == ["interrupted", ANSWER], done.stderr


def test_ctrl_c_ends_a_forward_between_steps() -> None:
    setup = "model = carat.load(os.environ['CARAT_COMPILED_DEMO'])\nstate = model.create_state()"
    work = "while True: state.reset(); model.forward(state, [2] * 2000, logits='none')"
    done = run_python(
        INTERRUPTED.format(setup=setup, delay=0.3, within=5, work=work, after="print(len(state))")
    )
    assert done.stdout.splitlines()[0] == "interrupted", done.stderr
    assert int(done.stdout.splitlines()[1]) in {0, 512, 1024, 1536, 2000}


@pytest.mark.parametrize("part", [0.1, 0.5])
@pytest.mark.parametrize("progress", ["interrupt", "True"])
def test_ctrl_c_ends_a_compilation_and_leaves_nothing(
    part: float, progress: str, tmp_path: pathlib.Path
) -> None:
    """While weights are packed and while the C++ compiler runs, with a callback and with the bar."""
    code = f"""
import carat, carat._progress, os, signal, threading
def interrupt(step, fraction):
    if fraction >= {part} and not interrupt.done:
        interrupt.done = True
        threading.Timer(0.01, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
interrupt.done = False
class Bar:
    n, desc = 0, ""
    def __init__(self, **options): pass
    def close(self): pass
    def set_description_str(self, step): interrupt(step, self.n / 100)
carat._progress._bar_type = lambda: Bar
try:
    carat.compile({str(DEMO)!r}, output={str(tmp_path / "demo")!r}, progress={progress})
    print("was not interrupted")
except KeyboardInterrupt:
    print("interrupted")
"""
    done = run_python(code)
    assert done.stdout.splitlines() == ["interrupted"], done.stderr
    assert list(tmp_path.iterdir()) == []


FORKED = (
    LOAD_ENGINE
    + """
model = carat.load(os.environ["CARAT_COMPILED_DEMO"])
state = model.create_state()
stream = create(stream=True)
for name, use in [("engine", create), ("model", lambda: model.create_state()), ("state", lambda: len(state)),
                  ("stream", lambda: next(stream))]:
    child = os.fork()
    if child == 0:
        try:
            use()
            print(name, "works", flush=True)
        except carat.Error as error:
            print(name, "refused:", error, flush=True)
        sys.exit(0)
    os.waitpid(child, 0)
print(create().choices[0].message.content)
"""
)


def test_a_fork_is_refused_in_words_and_ends() -> None:
    done = run_python("import carat, os, sys\n" + FORKED, timeout=60)
    *refused, last = done.stdout.splitlines()
    assert [line.split(" made before")[0] for line in refused] == [
        "engine refused: this Engine was",
        "model refused: this Model was",
        "state refused: this State was",
        "stream refused: this ChatCompletion was",
    ], done.stdout + done.stderr
    assert all("spawn" in line for line in refused)
    assert last == ANSWER


def test_spawned_processes_work(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(
        """
import multiprocessing, os
import carat

def ask(country):
    engine = carat.Engine(os.environ["CARAT_COMPILED_DEMO"], num_threads=1)
    question = f"What is the capital of {country}?"
    answer = engine.chat.completions.create(messages=[{"role": "user", "content": question}])
    return answer.choices[0].message.content

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(ask, ["France", "Italy"]))
"""
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == f"['{ANSWER}', 'The capital of Italy is Rome.']"


def test_the_process_ends_in_the_middle_of_an_answer() -> None:
    code = (
        "import carat, os, sys\n"
        + LOAD_ENGINE
        + "stream = create(stream=True, n=128, **endless); next(stream)"
    )
    done = run_python(code, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_in_an_event_loop() -> None:
    code = """
import asyncio, carat, os, signal, threading, time
async def main():
    engine = carat.AsyncEngine(os.environ["CARAT_COMPILED_DEMO"])
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    await engine.chat.completions.create(messages=[{"role": "user", "content": "Hello"}], n=128, ignore_eos=True)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    assert run_python(code, timeout=30).stdout == "interrupted\n"
