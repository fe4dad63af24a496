"""Blocks of ggml's types and their values as its Python package computes them, for
ggml_blocks_test.cc.

    python3 make_ggml_blocks.py          # needs gguf 0.17 or later (pip install gguf)

Writes beside itself <type>_blocks.bin (block bytes: two rows of 512 values) and <type>_values.bin
(float32).
"""

from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

VALUES = 1024

# Where a block has its f16 scales; everything else in it may be any bytes.
SCALES = {
    "Q4_0": [0],
    "Q4_1": [0, 2],
    "Q5_0": [0],
    "Q5_1": [0, 2],
    "Q8_0": [0],
    "Q4_K": [0, 2],
    "Q5_K": [0, 2],
    "Q6_K": [208],
}


def main():
    folder = Path(__file__).parent
    rng = np.random.default_rng(2)
    for name, scales in SCALES.items():
        kind = GGMLQuantizationType[name]
        block_values, block_bytes = GGML_QUANT_SIZES[kind]
        blocks = rng.integers(0, 256, (VALUES // block_values, block_bytes), dtype=np.uint8)
        for offset in scales:
            d = (rng.standard_normal((len(blocks), 1)) * 0.01).astype(np.float16)
            blocks[:, offset : offset + 2] = d.view(np.uint8)
        blocks.tofile(folder / f"{name.lower()}_blocks.bin")
        quants.dequantize(blocks.reshape(1, -1), kind).tofile(folder / f"{name.lower()}_values.bin")


if __name__ == "__main__":
    main()
