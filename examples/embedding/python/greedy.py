"""Runs a compiled model with the TVM FFI alone: nothing of Carat is imported.

    pip install apache-tvm-ffi numpy
    python greedy.py LIBRARY NUM_TOKENS PROMPT_TOKEN...

prints the ids of the NUM_TOKENS tokens that follow the prompt, each the likeliest one after all
before it. weights.bin lies beside the library, as `carat compile` leaves them.
"""

import json
import mmap
import sys
from pathlib import Path

import numpy as np
import tvm_ffi


class Sequence:
    """A model with the keys and values of one growing sequence of tokens."""

    def __init__(self, library: Path, max_tokens: int):
        self.module = tvm_ffi.load_module(str(library))
        sizes = self.sizes = json.loads(self.module.metadata())
        self.chunk_size = sizes["prefill_chunk_size"]  # the most tokens that one call takes
        # Mode "c" and not "r": numpy hands the TVM FFI no array that is read-only. forward only reads
        # the weights, so none of their pages is copied.
        self.weights = np.memmap(library.with_name("weights.bin"), np.uint8, mode="c")
        num_pages = -(-max_tokens // sizes["page_tokens"])
        self.kv_pages = np.empty((num_pages, sizes["page_bytes"]), np.uint8)
        self.kv_rings = np.empty((1, sizes["ring_bytes"]), np.uint8)
        scratch_bytes = sizes["scratch_shared_bytes"] + sizes["scratch_thread_bytes"]
        self.scratch = np.frombuffer(mmap.mmap(-1, scratch_bytes), np.uint8)  # so it is aligned
        self.page_table = np.arange(num_pages, dtype=np.int32).reshape(1, num_pages)
        self.logits = np.empty((1, sizes["vocab_size"]), np.float32)
        self.length = 0

    def append(self, tokens: list[int]) -> np.ndarray:
        """Runs the model over further tokens; returns the logits [vocab_size] of the next one."""
        for begin in range(0, len(tokens), self.chunk_size):
            chunk = np.array(tokens[begin : begin + self.chunk_size], np.int32)
            slot = 0  # the row of kv_rings
            sequences = np.array([[slot, self.length, len(chunk)]], np.int32)
            logit_rows = np.array([len(chunk) - 1], np.int32)
            no_threads = None  # but this one
            self.module.forward(self.weights, self.kv_pages, self.kv_rings, self.scratch,
                                sequences, self.page_table, chunk, logit_rows, self.logits,
                                no_threads)
            self.length += len(chunk)
        return self.logits[0]


def main() -> None:
    if len(sys.argv) < 4:
        sys.exit("usage: greedy.py LIBRARY NUM_TOKENS PROMPT_TOKEN...")
    num_tokens, tokens = int(sys.argv[2]), [int(token) for token in sys.argv[3:]]
    sequence = Sequence(Path(sys.argv[1]), len(tokens) + num_tokens)
    for _ in range(num_tokens):
        tokens = [int(sequence.append(tokens).argmax())]
        print(*tokens, end=" ", flush=True)
    print()


if __name__ == "__main__":
    main()
