"""Q4_0 and Q8_0 blocks as ggml's own Python package computes them, for weight_format_test.cc.

    python3 make.py          # needs gguf 0.17 or later (pip install gguf)

Writes beside itself values.bin (float32), q4_0.bin and q8_0.bin (ggml's block bytes).
"""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, quants

BLOCK = 32


def to_bfloat16(x):
    """Truncated: all that matters here is that the values have 8 significant bits."""
    return (x.astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)


def blocks():
    rng = np.random.default_rng(1)
    yield rng.standard_normal((64, BLOCK)) * 0.02
    # bfloat16 weights and few-bit ones meet the boundaries between levels exactly.
    yield to_bfloat16(rng.standard_normal((128, BLOCK)) * 0.02)
    yield rng.integers(-16, 17, (64, BLOCK)) / 16
    yield rng.integers(-127, 128, (32, BLOCK)) / 2
    # The largest magnitude with both signs: the first one decides the sign of the scale.
    both_signs = rng.uniform(-1, 1, (4, BLOCK))
    both_signs[:2, 3], both_signs[:2, 20] = 1.5, -1.5
    both_signs[2:, 3], both_signs[2:, 20] = -1.5, 1.5
    yield both_signs
    # Scales that are zero, subnormal in f16, and near its largest value.
    yield np.zeros((1, BLOCK))
    yield rng.standard_normal((4, BLOCK)) * 1e-6
    yield rng.standard_normal((4, BLOCK)) * 1e-12
    yield rng.uniform(-500000, 500000, (4, BLOCK))


def main():
    folder = Path(__file__).parent
    values = np.concatenate(list(blocks())).astype("<f4")
    values.tofile(folder / "values.bin")
    for kind in (GGMLQuantizationType.Q4_0, GGMLQuantizationType.Q8_0):
        quants.quantize(values, kind).tofile(folder / f"{kind.name.lower()}.bin")


if __name__ == "__main__":
    main()
