"""A tensor cache as TVM itself writes it, for tensor_cache_writer_test.cc.

    python3 make.py          # needs apache-tvm 0.27 or later (pip install apache-tvm numpy)

Writes beside itself what tvmjs.dump_tensor_cache makes of the tensors below with shards of at most
1 KB, encoded as MLC's convert_weight has them encoded.
"""

from pathlib import Path

import numpy as np
from tvm.contrib import tvmjs

# Small tensors, one that fills a shard to its last byte, ones with a shard to themselves between
# tensors that share one, a vector.
TENSORS = [
    ("a.q_weight", "uint32", (5, 8)),
    ("a.q_scale", "float32", (5, 3)),
    ("b.weight", "float16", (7,)),
    ("large.q_weight", "uint32", (17, 16)),
    ("large.q_scale", "float32", (16, 16)),
    ("c.weight", "float16", (300,)),
    ("d.weight", "float32", (125,)),
    ("full.q_weight", "uint32", (1, 128)),
    ("é.weight", "float32", (3, 3)),
]


def elements(dtype, shape):
    count = np.arange(np.prod(shape), dtype=np.uint32)
    if dtype == "uint32":
        return (count * np.uint32(2654435761)).reshape(shape)
    values = (count.astype("float32") - 4) * np.float32(0.37)
    if dtype == "float32":
        values[0] = 3.4e38  # which bfloat16 cannot hold
    return values.astype(dtype).reshape(shape)


def main():
    metadata = {"ParamSize": len(TENSORS), "ParamBytes": 0.0, "BitsPerParam": 0.0}
    for _, dtype, shape in TENSORS:
        metadata["ParamBytes"] += float(np.prod(shape) * np.dtype(dtype).itemsize)
    metadata["BitsPerParam"] = metadata["ParamBytes"] * 8 / 7000
    tvmjs.dump_tensor_cache(
        {name: elements(dtype, shape) for name, dtype, shape in TENSORS},
        str(Path(__file__).parent),
        meta_data=metadata,
        shard_cap_mb=1 / 1024,
        show_progress=False,
    )


if __name__ == "__main__":
    main()
