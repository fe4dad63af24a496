"""Uses all of the package many times over and holds nothing in the end, for a tool that watches memory.

    use_everything.py MODEL FOLDER --target TARGET --num-threads N --rounds N [--plant-leak]

FOLDER is where MODEL is compiled to. With --plant-leak it only loads that, and loses it.

Under LeakSanitizer it has that report memory that nothing refers to, and exits with 1 if what is in use grew
from round to round. The process ends without the interpreter's own end, which leaves objects behind.
"""

from __future__ import annotations

import _thread
import argparse
import asyncio
import contextlib
import ctypes
import gc
import os
import pathlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

os.environ.pop("LD_PRELOAD", None)  # of this process, not of the compiler that it starts

import carat  # noqa: E402
import numpy as np  # noqa: E402
import tvm_ffi  # noqa: E402

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
PROMPT = [2, 105, 7, 9]
LONG = {"ignore_eos": True, "max_tokens": 200}
ENDLESS = {"ignore_eos": True, "max_tokens": 2000, "n": 128}

ALLOWED_GROWTH_BYTES = 512
"""Of a round: what a table or a thread of the interpreter's takes. An answer that is kept is more than that."""


@contextlib.contextmanager
def raises(kind: type[BaseException]) -> Iterator[None]:
    try:
        yield
    except kind:
        return
    raise AssertionError(f"did not raise {kind.__name__}")


# --- The model alone ---


def use_model(folder: pathlib.Path, num_threads: int) -> None:
    model = carat.load(folder, num_threads=num_threads)
    out = np.empty((len(PROMPT), model.vocab_size), dtype=np.float32)
    for _ in range(3):
        state = model.create_state(max_tokens=64)
        for tokens in (PROMPT, np.array(PROMPT), np.array(PROMPT, dtype=np.int32)[::-1]):
            logits = np.from_dlpack(model.forward(state, tokens))
        model.forward(state, PROMPT, out=out)
        model.forward(state, PROMPT, logits="last")
        model.forward(state, PROMPT, logits="none")
        state.truncate(2)
        with raises(carat.InvalidArgumentError):
            model.forward(state, [2, -1])
        with raises(carat.InvalidArgumentError):
            model.forward(state, np.array(PROMPT, dtype=np.float32))
        with raises(carat.InvalidArgumentError):
            model.forward(state, PROMPT, out=out[:, ::2])
        with raises(carat.InvalidArgumentError):
            model.create_state(-1)
    assert model.metadata["max_batch_size"] > 0
    states = [model.create_state() for _ in range(model.metadata["max_batch_size"] - 1)]
    with raises(carat.Error):
        model.create_state()
    with raises(carat.Error):
        carat.load(folder.parent / "nothing")
    del model, state, states  # the logits are the last
    assert np.isfinite(logits).all()


def use_tokenizer(folder: pathlib.Path, num_threads: int) -> None:
    tokenizer = carat.Tokenizer(folder)
    for _ in range(3):
        text = tokenizer.apply_chat_template(QUESTION)
        tokens = tokenizer.encode(text, add_special_tokens=False)
        assert tokenizer.decode(np.array(tokens), skip_special_tokens=False) == text
        with raises(carat.InvalidArgumentError):
            tokenizer.decode("text")
        with raises(carat.Error):
            tokenizer.apply_chat_template([{"role": "assistant", "content": "x"}] * 2)
    with raises(carat.Error):
        carat.Tokenizer(folder.parent / "nothing")


def use_measures(folder: pathlib.Path, num_threads: int) -> None:
    assert carat.inspect(folder)["problems"] == []
    text = "The capital of France is Paris. " * 8
    steps: list[str] = []
    assert (
        carat.perplexity(
            folder,
            text=text,
            context=32,
            num_threads=num_threads,
            progress=lambda step, _: steps.append(step),
        ).perplexity
        > 0
    )
    assert steps
    with raises(carat.Error):
        carat.perplexity(folder, text="too short", num_threads=num_threads)


# --- Engines ---


def use_engine(folder: pathlib.Path, num_threads: int) -> None:
    with carat.Engine(folder, num_threads=num_threads) as engine:
        create = engine.chat.completions.create
        for _ in range(3):
            assert create(messages=QUESTION).choices[0].message.content
            create(
                messages=QUESTION,
                n=2,
                logprobs=True,
                top_logprobs=2,
                stop=["is"],
                logit_bias={"5": -1.0},
            )
            list(create(messages=QUESTION, stream=True, stream_options={"include_usage": True}))
            next(create(messages=QUESTION, stream=True, **LONG))  # whose stream nobody holds
            with create(messages=QUESTION, stream=True, **LONG) as cancelled:
                next(cancelled)
            create(messages=QUESTION, stream=True)  # of which nothing is read
            for wrong in ({"temperature": -1}, {"temprature": 1}, {"n": 0}):
                with raises(carat.InvalidArgumentError):
                    create(messages=QUESTION, **wrong)
            with raises(carat.InvalidArgumentError):
                create(messages=[{"role": "user", "content": "word " * 4000}])
        with raises(KeyboardInterrupt):
            threading.Timer(0.1, _thread.interrupt_main).start()
            create(messages=QUESTION, **ENDLESS)
        running = create(messages=QUESTION, stream=True, **ENDLESS)
        waiting = create(messages=QUESTION, stream=True)
        next(running)
    for stream in (running, waiting):
        with raises(carat.Error):
            list(stream)
    with raises(carat.Error):
        create(messages=QUESTION)


def use_engine_in_threads(folder: pathlib.Path, num_threads: int) -> None:
    engine = carat.Engine(folder, num_threads=num_threads)

    def ask() -> None:
        engine.chat.completions.create(messages=QUESTION, max_tokens=3)
        next(engine.chat.completions.create(messages=QUESTION, stream=True))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def use_async_engine(folder: pathlib.Path, num_threads: int) -> None:
    async def use() -> None:
        async with carat.AsyncEngine(folder, num_threads=num_threads) as engine:
            create = engine.chat.completions.create
            await asyncio.gather(*(create(messages=QUESTION) for _ in range(3)))
            async for _ in await create(messages=QUESTION, stream=True):
                pass
            async with await create(messages=QUESTION, stream=True, **LONG) as left:
                async for _ in left:
                    break
            task = asyncio.create_task(create(messages=QUESTION, **ENDLESS))
            await asyncio.sleep(0.05)
            task.cancel()
            with raises(asyncio.CancelledError):
                await task
            with raises(carat.InvalidArgumentError):
                await create(messages=QUESTION, temperature=-1)
            running = await create(messages=QUESTION, stream=True, **ENDLESS)
        with raises(carat.Error):
            async for _ in running:
                pass

    asyncio.run(use())


# --- Compilation ---


def compile_model(model: pathlib.Path, folder: pathlib.Path, target: str) -> None:
    steps: list[str] = []
    carat.compile(model, output=folder, target=target, progress=lambda step, _: steps.append(step))
    assert steps
    with raises(carat.Error):
        carat.compile(folder.parent / "nothing")
    with raises(carat.Error):
        carat.compile(model, output=folder, target="z80")

    def refuse(step: str, fraction: float) -> None:
        raise ZeroDivisionError

    with raises(ZeroDivisionError):
        carat.compile(model, output=folder, target=target, progress=refuse)


# --- Memory ---


def optional_function(name: str, result: Any) -> Callable[[], int] | None:
    """A function of the sanitizer that this process runs under, if it does."""
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function.restype = result
    return function


allocated_bytes = optional_function("__sanitizer_get_current_allocated_bytes", ctypes.c_size_t)
report_leaks = optional_function("__lsan_do_recoverable_leak_check", ctypes.c_int)


def grows(
    use: Callable[[pathlib.Path, int], None], folder: pathlib.Path, num_threads: int, rounds: int
) -> bool:
    """Whether memory does in the second half of the rounds, after which all that is made once is there."""
    before = 0
    for number in range(rounds):
        if number == rounds // 2:
            gc.collect()
            before = allocated_bytes() if allocated_bytes else 0
        use(folder, num_threads)
    gc.collect()
    growth = (allocated_bytes() if allocated_bytes else 0) - before
    per_round = growth / (rounds - rounds // 2)
    print(f"{use.__name__}: {per_round:+.0f} bytes a round", flush=True)
    return per_round > ALLOWED_GROWTH_BYTES


def lose(model: carat.Model) -> None:
    """One reference more than there is anybody who will give it back, as a binding might forget to."""
    library = ctypes.CDLL(tvm_ffi.libinfo.find_libtvm_ffi())
    library.TVMFFIObjectIncRef(ctypes.c_void_p(model.__chandle__()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--target", default="native")
    parser.add_argument("--num-threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--plant-leak", action="store_true")
    arguments = parser.parse_args()
    failed = False
    if arguments.plant_leak:
        lose(carat.load(arguments.folder, num_threads=arguments.num_threads))
    else:
        compile_model(arguments.model, arguments.folder, arguments.target)
        for use in (
            use_model,
            use_tokenizer,
            use_measures,
            use_engine,
            use_engine_in_threads,
            use_async_engine,
        ):
            failed |= grows(use, arguments.folder, arguments.num_threads, arguments.rounds)
    gc.collect()
    if report_leaks is not None:
        report_leaks()
    sys.stdout.flush()
    os._exit(failed)


if __name__ == "__main__":
    main()
