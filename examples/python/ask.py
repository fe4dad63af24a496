"""Compiles a model and asks it a question: `python ask.py MODEL QUESTION`."""

import sys

import carat

model, question = sys.argv[1:]
path = carat.compile(model, quantization="q4_0")
engine = carat.Engine(path)
answer = engine.chat.completions.create(
    messages=[{"role": "user", "content": question}], temperature=0
)
print(answer.choices[0].message.content)
print(answer.model_dump()["usage"], file=sys.stderr)
