"""The likeliest next words after a text: `python logits.py COMPILED_MODEL TEXT`. Needs numpy."""

import sys

import carat
import numpy as np

folder, text = sys.argv[1:]
model = carat.load(folder)
state = model.create_state(max_tokens=1024)

tokens = np.array(model.tokenizer.encode(text), dtype=np.int32)
logits = np.from_dlpack(model.forward(state, tokens))  # [n, vocab_size], the same memory

last = logits[-1].astype(np.float64)
logprobs = last - np.log(np.exp(last - last.max()).sum()) - last.max()
for token in np.argsort(-last)[:5]:
    print(f"{np.exp(logprobs[token]):7.2%} {model.tokenizer.decode([token])!r}")
