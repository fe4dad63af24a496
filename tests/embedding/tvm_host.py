"""examples/embedding/python/greedy.py with Apache TVM's own loader and tensors.

    tvm_host.py LIBRARY NUM_TOKENS PROMPT_TOKEN...
"""

import json
import sys
from pathlib import Path

import numpy as np
import tvm


def ints(values: list) -> tvm.runtime.Tensor:
    return tvm.runtime.tensor(np.array(values, np.int32))


class Sequence:
    def __init__(self, library: Path, max_tokens: int):
        module = tvm.runtime.load_module(str(library))
        sizes = json.loads(module["metadata"]())
        self.forward = module["forward"]
        self.chunk_size = sizes["prefill_chunk_size"]
        self.weights = tvm.runtime.tensor(np.fromfile(library.with_name("weights.bin"), np.uint8))
        num_pages = -(-max_tokens // sizes["page_tokens"])
        self.kv_pages = tvm.runtime.empty((num_pages, sizes["page_bytes"]), "uint8")
        self.kv_rings = tvm.runtime.empty((1, sizes["ring_bytes"]), "uint8")
        self.scratch = tvm.runtime.empty(
            (sizes["scratch_shared_bytes"] + sizes["scratch_thread_bytes"],), "uint8")
        self.page_table = ints([range(num_pages)])
        self.logits = tvm.runtime.empty((1, sizes["vocab_size"]), "float32")
        self.length = 0

    def append(self, tokens: list[int]) -> np.ndarray:
        for begin in range(0, len(tokens), self.chunk_size):
            chunk = tokens[begin : begin + self.chunk_size]
            self.forward(self.weights, self.kv_pages, self.kv_rings, self.scratch,
                         ints([[0, self.length, len(chunk)]]), self.page_table, ints(chunk),
                         ints([len(chunk) - 1]), self.logits, None)
            self.length += len(chunk)
        return self.logits.numpy()[0]


def main() -> None:
    num_tokens, tokens = int(sys.argv[2]), [int(token) for token in sys.argv[3:]]
    sequence = Sequence(Path(sys.argv[1]), len(tokens) + num_tokens)
    for _ in range(num_tokens):
        tokens = [int(sequence.append(tokens).argmax())]
        print(*tokens, end=" ")
    print()


if __name__ == "__main__":
    main()
