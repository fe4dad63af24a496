"""Reads what `carat gen_config` and `carat convert_weight` write as the formats' descriptions say,
with nothing of Carat's, and compares it with the checkpoint.

    python3 read_converted.py CARAT CHECKPOINT
"""

import hashlib
import json
import math
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

PREFIX = "language_model."
ROW_STEP = 13  # of large matrices not every row is read: Python is slow


def bfloat16(data):
    return [struct.unpack("<f", b"\0\0" + data[i : i + 2])[0] for i in range(0, len(data), 2)]


def floats(data, dtype):
    if dtype == "bfloat16":
        return bfloat16(data)
    size, code = {"float16": (2, "e"), "float32": (4, "f")}[dtype]
    return list(struct.unpack(f"<{len(data) // size}{code}", data))


def read_checkpoint(path):
    data = path.read_bytes()
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:begin])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            assert entry["dtype"] == "BF16", entry
            first, last = entry["data_offsets"]
            tensors[name] = (entry["shape"], data[begin + first : begin + last])
    return tensors


def read_cache(folder, index_name="tensor-cache.json"):
    """{name: (shape, dtype that is stored, bytes)}"""
    tensors = {}
    for shard in json.loads((folder / index_name).read_text())["records"]:
        assert shard["format"] == "raw-shard"
        data = (folder / shard["dataPath"]).read_bytes()
        assert len(data) == shard["nbytes"] <= 32 << 20 or len(shard["records"]) == 1
        assert hashlib.md5(data).hexdigest() == shard["md5sum"]
        for record in shard["records"]:
            dtype = record["dtype"]
            if dtype == "float32" and record["format"] == "f32-to-bf16":
                dtype = "bfloat16"
            end = record["byteOffset"] + record["nbytes"]
            assert end <= len(data) and record["name"] not in tensors
            tensors[record["name"]] = (record["shape"], dtype, data[record["byteOffset"] : end])
    return tensors


def sources(name):
    """The checkpoint's names of what MLC's `name` is made of, one below the other."""
    name = name.removeprefix(PREFIX)
    if "gate_up_proj" in name:
        return [name.replace("gate_up_proj", part) for part in ("gate_proj", "up_proj")]
    return [name]


def source_row(checkpoint, name, row):
    for source in sources(name):
        (rows, cols), data = checkpoint[source + ".weight"]
        if row < rows:
            return bfloat16(data[row * cols * 2 : (row + 1) * cols * 2])
        row -= rows
    raise AssertionError(f"{name} has too many rows")


def check_norm(checkpoint, name, values):
    expected = bfloat16(checkpoint[name.removeprefix(PREFIX)][1])
    assert len(values) == len(expected)
    for value, weight in zip(values, expected):
        assert abs(value - (1 + weight)) <= 2**-8 * abs(1 + weight), (name, value, weight)


def check_quantized(checkpoint, name, cache):
    (rows, words_per_row), dtype, words = cache[name + ".q_weight"]
    (scale_rows, groups), scale_dtype, scales = cache[name + ".q_scale"]
    assert dtype == "uint32" and scale_rows == rows and words_per_row == 4 * groups
    scales = floats(scales, scale_dtype)
    for row in range(0, rows, ROW_STEP):
        weights = source_row(checkpoint, name, row)
        assert groups == math.ceil(len(weights) / 32)
        row_words = struct.unpack_from(f"<{words_per_row}I", words, row * words_per_row * 4)
        for j, weight in enumerate(weights):
            level = row_words[j // 8] >> (4 * (j % 8)) & 15
            scale = scales[row * groups + j // 32]
            # Half a level, a 256th of the largest level for what rounding loses on the way.
            assert level <= 14 and abs((level - 7) * scale - weight) <= scale * (0.5 + 7 / 256), (
                name, row, j)


def check_plain(checkpoint, name, cache):
    (rows, cols), dtype, data = cache[name + ".weight"]
    size = len(data) // (rows * cols)
    for row in range(0, rows, ROW_STEP):
        values = floats(data[row * cols * size : (row + 1) * cols * size], dtype)
        for value, weight in zip(values, source_row(checkpoint, name, row), strict=True):
            assert abs(value - weight) <= 2**-24, (name, row)  # f16's smallest number


def check_weights(checkpoint, cache):
    covered = set()
    for parameter in cache:
        name, kind = parameter.rsplit(".", 1)
        covered.update(source + ".weight" for source in sources(name))
        if kind == "q_weight":
            check_quantized(checkpoint, name, cache)
        elif name.endswith("norm"):
            check_norm(checkpoint, parameter, floats(cache[parameter][2], cache[parameter][1]))
        elif kind == "weight":
            check_plain(checkpoint, name, cache)
    assert covered == set(checkpoint), covered ^ set(checkpoint)


def check_chat_config(folder, checkpoint_folder, quantization):
    config = json.loads((folder / "mlc-chat-config.json").read_text())
    hugging_face = json.loads((checkpoint_folder / "config.json").read_text())
    assert config["quantization"] == quantization
    assert config["vocab_size"] == hugging_face["vocab_size"]
    # WebLLM wants exactly one of them.
    assert (config["context_window_size"] != -1) != (config["sliding_window_size"] != -1)
    assert 0 < config["prefill_chunk_size"] <= config["context_window_size"]
    assert config["repetition_penalty"] > 0
    assert "tokenizer.json" in config["tokenizer_files"]
    for name in config["tokenizer_files"]:
        assert (folder / name).read_bytes() == (checkpoint_folder / name).read_bytes()


def main():
    carat, checkpoint_folder = sys.argv[1], Path(sys.argv[2])
    checkpoint = read_checkpoint(checkpoint_folder / "model.safetensors")
    for quantization in ("q4f16_1", "q4f32_1", "q0f16", "q0f32"):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "out"
            common = [str(checkpoint_folder), "--quantization", quantization, "-o", str(folder)]
            subprocess.run([carat, "convert_weight", *common], check=True)
            subprocess.run(
                [carat, "gen_config", *common, "--conv-template", "gemma3_instruction"], check=True
            )
            cache = read_cache(folder)
            check_weights(checkpoint, cache)
            check_chat_config(folder, checkpoint_folder, quantization)
            if quantization.endswith(("f32", "f32_1")):
                assert read_cache(folder, "tensor-cache-b16.json") == cache


if __name__ == "__main__":
    main()
