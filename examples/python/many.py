"""Asks several questions at once from an event loop: `python many.py COMPILED_MODEL QUESTION...`."""

import asyncio
import sys

import carat


async def ask(engine: carat.AsyncEngine, question: str) -> str:
    text = ""
    messages = [{"role": "user", "content": question}]
    async for chunk in await engine.chat.completions.create(
        messages=messages, temperature=0, stream=True
    ):
        text += chunk.choices[0].delta.content or ""
    return text


async def main() -> None:
    folder, *questions = sys.argv[1:]
    async with carat.AsyncEngine(folder) as engine:
        for answer in await asyncio.gather(*(ask(engine, question) for question in questions)):
            print(answer)


asyncio.run(main())
