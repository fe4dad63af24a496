"""What forward of a compiled library takes and refuses, asked by a host that is not Carat.

    forward_test.py DIST_FOLDER EXAMPLES
"""

import ctypes
import gc
import sys
import threading
import unittest
from pathlib import Path

import numpy as np
import tvm_ffi

FOLDER, EXAMPLES = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(EXAMPLES / "python"))
from greedy import Sequence  # noqa: E402

LIBRARY = FOLDER / "model.so"
PROMPT = [2, 105, 539, 468, 363, 511, 485, 463, 548, 531, 1932, 106]
NAMES = ("weights", "kv_pages", "kv_rings", "scratch", "sequences", "page_table", "tokens",
         "logit_rows", "logits", "pool")
TASK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32)
LAUNCH = ctypes.CFUNCTYPE(None, ctypes.c_void_p, TASK, ctypes.c_void_p)


class ThreadPool(ctypes.Structure):
    """CaratThreadPool of docs/embedding.md."""
    _fields_ = [("self", ctypes.c_void_p), ("num_threads", ctypes.c_int32), ("launch", LAUNCH)]


def arguments_of(sequence: Sequence, tokens: list[int]) -> dict:
    return dict(zip(NAMES, (
        sequence.weights, sequence.kv_pages, sequence.kv_rings, sequence.scratch,
        np.array([[0, sequence.length, len(tokens)]], np.int32), sequence.page_table,
        np.array(tokens, np.int32), np.array([len(tokens) - 1], np.int32), sequence.logits, None)))


def misaligned(size: int) -> np.ndarray:
    memory = np.empty(size + 128, np.uint8)
    begin = -memory.ctypes.data % 64 + 32
    return memory[begin : begin + size]


class Forward(unittest.TestCase):
    def setUp(self):
        self.sequence = Sequence(LIBRARY, max_tokens=200)
        self.arguments = arguments_of(self.sequence, PROMPT)
        self.expected = Sequence(LIBRARY, max_tokens=200).append(PROMPT).copy()

    def forward(self, **changed) -> np.ndarray:
        self.sequence.logits[:] = 0
        self.sequence.module.forward(*(self.arguments | changed).values())
        return self.sequence.logits[0]

    def assert_refused(self, message: str, **changed) -> None:
        with self.assertRaises(ValueError) as caught:
            self.forward(**changed)
        self.assertEqual(str(caught.exception), f"forward: {message}")
        np.testing.assert_array_equal(self.forward(), self.expected)  # and nothing is broken

    def test_refuses_other_element_types(self):
        tokens = self.arguments["tokens"].astype(np.int64)
        self.assert_refused("tokens has the wrong element type, expected int32", tokens=tokens)
        logits = self.arguments["logits"].astype(np.float64)
        self.assert_refused("logits has the wrong element type, expected float32", logits=logits)
        self.assert_refused("weights has the wrong element type, expected uint8",
                            weights=self.arguments["weights"].view(np.int8))

    def test_refuses_weights_of_another_size(self):
        size = len(self.sequence.weights)
        self.assert_refused(
            f"weights has {size - 1} bytes, this library was compiled for {size}",
            weights=self.sequence.weights[:-1])

    def test_refuses_another_number_of_dimensions(self):
        self.assert_refused("tokens has 2 dimensions, expected 1",
                            tokens=self.arguments["tokens"].reshape(1, -1))

    def test_refuses_what_is_no_tensor(self):
        self.assert_refused("tokens is not a tensor", tokens=PROMPT)
        self.assert_refused("kv_rings is not a tensor", kv_rings=None)

    def test_refuses_memory_with_gaps(self):
        self.assert_refused("kv_pages is not contiguous",
                            kv_pages=np.empty((4, 2 * self.sequence.kv_pages.shape[1]),
                                              np.uint8)[:, ::2])

    def test_refuses_misaligned_memory(self):
        self.assert_refused("scratch does not begin at a multiple of 64 bytes",
                            scratch=misaligned(len(self.sequence.scratch)))

    def test_refuses_too_little_scratch_memory(self):
        size = len(self.sequence.scratch)
        self.assert_refused(f"scratch has {size - 1} bytes, 1 threads need {size}",
                            scratch=self.sequence.scratch[:-1])

    def test_refuses_tokens_outside_the_vocabulary(self):
        size = self.sequence.logits.shape[1]
        self.assert_refused(f"tokens[1] is {size}, the vocabulary has {size} tokens",
                            tokens=np.array([2, size] + PROMPT[2:], np.int32))

    def test_refuses_pages_that_are_not_there(self):
        pages = len(self.sequence.kv_pages)
        self.assert_refused(f"page_table[0, 0] is {pages}, there are {pages} pages",
                            page_table=self.sequence.page_table + np.int32(pages))

    def test_refuses_a_pool_that_is_none(self):
        self.assert_refused("pool is neither None nor a pointer to a CaratThreadPool", pool=2)

    def test_refuses_another_number_of_arguments(self):
        with self.assertRaisesRegex(ValueError, "forward: takes 10 arguments, but got 9"):
            self.sequence.module.forward(*list(self.arguments.values())[:-1])

    def test_takes_memory_with_anything_in_it(self):
        for name in ("kv_pages", "kv_rings", "scratch"):
            self.arguments[name][:] = 0xFF  # as floating point numbers: NaN
        np.testing.assert_array_equal(self.forward(), self.expected)

    def test_takes_pages_in_any_order(self):
        prompt = PROMPT * 12
        expected = Sequence(LIBRARY, max_tokens=200).append(prompt).copy()
        self.sequence.page_table = self.sequence.page_table[:, ::-1].copy()
        np.testing.assert_array_equal(self.sequence.append(prompt), expected)

    def test_runs_on_the_threads_of_a_pool(self):
        threads_seen = set()

        def launch(_, task, arg):
            threads = [threading.Thread(target=task, args=(arg, i)) for i in (1, 2)]
            for thread in threads:
                thread.start()
            task(arg, 0)
            for thread in threads:
                thread.join()
                threads_seen.add(thread)

        pool = ThreadPool(None, 3, LAUNCH(launch))
        sizes = self.sequence.sizes
        scratch = np.empty(sizes["scratch_shared_bytes"] + 3 * sizes["scratch_thread_bytes"] + 64,
                           np.uint8)
        scratch = scratch[-scratch.ctypes.data % 64 :]
        logits = self.forward(scratch=scratch, pool=ctypes.c_void_p(ctypes.addressof(pool)))
        np.testing.assert_array_equal(logits, self.expected)
        self.assertEqual(len(threads_seen), 2)

    def test_runs_in_several_threads_at_once(self):
        forward = self.sequence.module.forward
        sequences = [Sequence(LIBRARY, max_tokens=200) for _ in range(4)]

        def run(sequence: Sequence) -> None:
            for _ in range(20):
                forward(*arguments_of(sequence, PROMPT).values())

        threads = [threading.Thread(target=run, args=(sequence,)) for sequence in sequences]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for sequence in sequences:
            np.testing.assert_array_equal(sequence.logits[0], self.expected)

    def test_outlives_the_module_it_came_from(self):
        forward = tvm_ffi.load_module(str(LIBRARY)).forward
        gc.collect()
        forward(*self.arguments.values())
        np.testing.assert_array_equal(self.sequence.logits[0], self.expected)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
