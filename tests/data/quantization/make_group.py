"""MLC's group quantization as TVM computes it, for group_quantization_test.cc.

    python3 make_group.py    # needs apache-tvm 0.27 or later (pip install apache-tvm numpy)

MLC-LLM writes its q4f16_1 and q4f32_1 as tensor expressions and has TVM compile them for the CPU
(python/mlc_llm/quantization/group_quantization.py); the same expressions are written here. Writes
beside itself group_values.bin (float32, rows of COLS values) and for each of the two formats
<format>_words.bin (uint32) and <format>_scales.bin (f16 or f32).
"""

from pathlib import Path

import numpy as np
import tvm
from tvm import te, tirx

GROUP = 32
COLS = 80  # two whole groups and a half one, which is padded
MAX_INT = 7


def quantize(weight, dtype):
    """The words and scales of a matrix that has the model dtype."""
    rows, cols = weight.shape
    groups = -(-cols // GROUP)
    max_int = tirx.const(MAX_INT, dtype)
    w = te.placeholder((rows, cols), dtype, name="w")
    r = te.reduce_axis((0, GROUP), name="r")
    largest = te.compute(
        (rows, groups),
        lambda i, g: te.max(
            tirx.if_then_else(
                g * GROUP + r < cols, te.abs(w[i, g * GROUP + r]), te.min_value(dtype)
            ),
            axis=r,
        ),
    )
    scale = te.compute((rows, groups), lambda i, g: largest[i, g].astype(dtype) / max_int)
    level = te.compute(
        (rows, cols),
        lambda i, j: tirx.min(
            tirx.max(
                tirx.round(w[i, j] / scale[i, j // GROUP] + max_int), tirx.const(0, dtype)
            ),
            max_int * 2,
        ).astype("uint32"),
    )
    n = te.reduce_axis((0, 8), name="n")
    words = te.compute(
        (rows, groups * GROUP // 8),
        lambda i, j: te.sum(
            tirx.if_then_else(
                j * 8 + n < cols,
                level[i, j * 8 + n] << (n * 4).astype("uint32"),
                tirx.const(0, "uint32"),
            ),
            axis=n,
        ),
    )
    function = tvm.compile(te.create_prim_func([w, words, scale]), target="llvm")
    out = [
        tvm.runtime.tensor(np.zeros((rows, groups * GROUP // 8), np.uint32)),
        tvm.runtime.tensor(np.zeros((rows, groups), dtype)),
    ]
    function(tvm.runtime.tensor(weight), *out)
    return [tensor.numpy() for tensor in out]


def rows():
    rng = np.random.default_rng(1)
    normal = rng.standard_normal((24, COLS))
    yield normal * 0.02
    # bfloat16 weights and few-bit ones meet the boundaries between levels exactly.
    yield ((normal * 0.02).astype("<f4").view(np.uint32) & 0xFFFF0000).view("<f4")
    yield rng.integers(-14, 15, (16, COLS)) / 2
    # Groups of zeros, with and without the sign, and groups with a few of them.
    yield np.zeros((1, COLS))
    yield np.full((1, COLS), -0.0)
    yield np.where(rng.uniform(size=(2, COLS)) < 0.9, 0, normal[:2])
    # Scales that are subnormal in f16, then zero in f16; the same for f32; and large ones.
    for magnitude in (1e-3, 1e-5, 1e-6, 3e-7, 5e-8, 1e-12, 1e-37, 1e-41, 5e-45):
        yield normal[:2] * magnitude
    yield rng.uniform(-65504, 65504, (4, COLS))


def main():
    folder = Path(__file__).parent
    values = np.concatenate(list(rows())).astype("<f4")
    values.tofile(folder / "group_values.bin")
    for name, dtype in (("q4f16_1", "float16"), ("q4f32_1", "float32")):
        words, scales = quantize(values.astype(dtype), dtype)
        words.tofile(folder / f"{name}_words.bin")
        scales.tofile(folder / f"{name}_scales.bin")


if __name__ == "__main__":
    main()
