"""carat.AsyncEngine: the same in an event loop, which goes on meanwhile."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Iterator

import carat
import pytest
from conftest import ANSWER, QUESTION


@pytest.fixture(scope="module")
def engine(dist: pathlib.Path) -> Iterator[carat.AsyncEngine]:
    engine = carat.AsyncEngine(dist)
    yield engine
    engine.close()


async def read(engine: carat.AsyncEngine, **parameters: object) -> str:
    text = ""
    async for chunk in await engine.chat.completions.create(
        messages=QUESTION, stream=True, **parameters
    ):
        text += chunk.choices[0].delta.content or ""
    return text


def test_answers(engine: carat.AsyncEngine) -> None:
    answer = asyncio.run(engine.chat.completions.create(messages=QUESTION))
    assert answer.choices[0].message.content == ANSWER


def test_streams(engine: carat.AsyncEngine) -> None:
    assert asyncio.run(read(engine)) == ANSWER


def test_many_requests_at_once(engine: carat.AsyncEngine) -> None:
    async def ask() -> list[str]:
        return await asyncio.gather(*(read(engine) for _ in range(20)))

    assert asyncio.run(ask()) == [ANSWER] * 20


def test_the_event_loop_goes_on_while_the_model_computes(engine: carat.AsyncEngine) -> None:
    async def count() -> tuple[int, str]:
        task = asyncio.create_task(read(engine, ignore_eos=True, max_tokens=400))
        ticks = 0
        while not task.done():
            await asyncio.sleep(0.001)
            ticks += 1
        return ticks, task.result()

    ticks, text = asyncio.run(count())
    assert ticks > 20 and text


def test_cancelling_a_task_frees_the_engine(engine: carat.AsyncEngine) -> None:
    async def cancel() -> str:
        task = asyncio.create_task(
            engine.chat.completions.create(
                messages=QUESTION, ignore_eos=True, max_tokens=2000, n=128
            )
        )
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await asyncio.wait_for(read(engine), timeout=20)

    assert asyncio.run(cancel()) == ANSWER


def test_leaving_a_stream_frees_the_engine(engine: carat.AsyncEngine) -> None:
    async def leave() -> str:
        options = {"stream": True, "ignore_eos": True, "max_tokens": 2000, "n": 128}
        async with await engine.chat.completions.create(messages=QUESTION, **options) as chunks:
            async for chunk in chunks:
                if chunk.choices[0].delta.content:
                    break
        return await asyncio.wait_for(read(engine), timeout=20)

    assert asyncio.run(leave()) == ANSWER


def test_errors_come_where_they_are_awaited(engine: carat.AsyncEngine) -> None:
    with pytest.raises(carat.InvalidArgumentError, match="temperature"):
        asyncio.run(engine.chat.completions.create(messages=QUESTION, temperature=-1))


def test_a_closed_engine_wakes_who_waits(dist: pathlib.Path) -> None:
    async def close() -> None:
        async with carat.AsyncEngine(dist) as engine:
            task = asyncio.create_task(read(engine, ignore_eos=True, max_tokens=2000, n=128))
            await asyncio.sleep(0.05)
        with pytest.raises(carat.Error, match="closed"):
            await task

    asyncio.run(close())
