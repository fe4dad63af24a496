"""Prints an answer as it comes: `python stream.py COMPILED_MODEL QUESTION`. Ctrl-C ends it."""

import sys

import carat

folder, question = sys.argv[1:]
with carat.Engine(folder) as engine:
    chunks = engine.chat.completions.create(
        messages=[{"role": "user", "content": question}],
        temperature=0,
        stream=True,
    )
    for chunk in chunks:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
