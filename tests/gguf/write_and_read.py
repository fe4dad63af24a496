"""Reads with Carat the GGUF files that the gguf package writes, whole ones and damaged ones.

    python3 write_and_read.py CARAT CHECKPOINT
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType

from checkpoint import is_norm, read_safetensors
from converter import quantized_tensors, random_tensors, write_gguf

WRITTEN_TYPES = (GGMLQuantizationType.F32, GGMLQuantizationType.F16, GGMLQuantizationType.BF16,
                 GGMLQuantizationType.Q4_0, GGMLQuantizationType.Q4_1, GGMLQuantizationType.Q5_0,
                 GGMLQuantizationType.Q5_1, GGMLQuantizationType.Q8_0)
K_TYPES = (GGMLQuantizationType.Q4_K, GGMLQuantizationType.Q5_K, GGMLQuantizationType.Q6_K)
# Their blocks have 256 values, more than a row of the demo model.
SHAPE_OF_K_MODEL = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
                    "num_attention_heads": 2, "head_dim": 128}

KEPT_FIELDS = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
               "num_attention_heads", "num_key_value_heads", "head_dim", "max_position_embeddings",
               "rms_norm_eps", "rope_theta", "rope_local_base_freq", "rope_scaling",
               "sliding_window", "bos_token_id", "pad_token_id")
PROMPT = "What is the capital of France?"
ANSWER = "The capital of France is Paris.\n"
NUM_TOKENS = 80  # more than the demo model's window


class Carat:
    def __init__(self, program: str, cache: Path):
        self._program = program
        self._environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}

    def run(self, *arguments: object) -> subprocess.CompletedProcess:
        return subprocess.run([self._program, *map(str, arguments)], env=self._environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def output(self, *arguments: object) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout


def check_read(carat: Carat, file: Path, config: dict, tensors: dict) -> None:
    folder = file.with_suffix("")
    folder.mkdir()
    carat.output("export", file, "--format", "safetensors", "--quantization", "q0f32",
                 "-o", folder / "model.safetensors")
    read = read_safetensors(folder / "model.safetensors")
    assert set(read) == set(tensors), set(read) ^ set(tensors)
    for name, tensor in tensors.items():
        offset = np.float32(1 if is_norm(name) else 0)
        assert np.array_equal(read[name], tensor.values() - offset), (file.name, name)
    read_config = json.loads((folder / "config.json").read_text())
    for field in KEPT_FIELDS:
        assert read_config[field] == config[field], (file.name, field, read_config[field])
    assert read_config["sliding_window_pattern"] == config["_sliding_window_pattern"]


def check_logits(carat: Carat, file: Path, folder: Path, vocab_size: int) -> None:
    """`file` has the weights of `folder` as they are, so that the same is computed."""
    tokens = file.with_suffix(".tokens.npy")
    np.save(tokens, np.random.default_rng(0).integers(0, vocab_size, NUM_TOKENS, np.int32))
    logits = []
    for model in (file, folder):
        output = file.with_suffix(".logits.npy")
        carat.output("logits", model, "--reference", "--tokens", tokens, "--output", output)
        logits.append(np.load(output))
    assert logits[0].shape == (NUM_TOKENS, vocab_size)
    assert np.array_equal(*logits)


def check_refused(carat: Carat, file: Path, *words: str) -> None:
    """By one line with these words, and nothing is written."""
    output = file.with_suffix(".refused")
    output.mkdir()
    for arguments in (("export", file, "--format", "safetensors",
                       "-o", output / "model.safetensors"),
                      ("export", file, "--format", "gguf", "-o", output / "model.gguf"),
                      ("compile", file, "-o", output / "compiled")):
        done = carat.run(*arguments)
        assert done.returncode == 1, (file.name, arguments[0], done)
        assert done.stderr.endswith("\n") and done.stderr.count("\n") == 1, done.stderr
        assert all(word in done.stderr for word in words), (words, done.stderr)
        assert not list(output.iterdir()), list(output.iterdir())


def check_truncated(carat: Carat, whole: Path) -> None:
    data = whole.read_bytes()
    keys_end = gguf.GGUFReader(whole).tensors[0].field.offset
    for name, length in (("in_header", 10), ("in_keys", keys_end // 2),
                         ("in_tensor_list", keys_end + 10), ("in_tensors", len(data) // 2),
                         ("last_byte", len(data) - 1)):
        file = whole.with_name(f"truncated_{name}.gguf")
        file.write_bytes(data[:length])
        check_refused(carat, file, file.name, "truncated")


def check_overlap(carat: Carat, whole: Path) -> None:
    file = whole.with_name("overlap.gguf")
    file.write_bytes(whole.read_bytes())
    first, second = gguf.GGUFReader(file, "r+").tensors[:2]
    second.field.parts[-1][0] = first.field.parts[-1][0] + gguf.GGUF_DEFAULT_ALIGNMENT
    second.field.parts[-1].flush()
    check_refused(carat, file, file.name, first.name, second.name, "overlap")


def check_whole_files(carat: Carat, demo: Path, temporary: Path, config: dict) -> None:
    weights = read_safetensors(demo / "model.safetensors")
    for kind in WRITTEN_TYPES:
        file = temporary / f"{kind.name}.gguf"
        tensors = quantized_tensors(weights, kind)
        write_gguf(file, demo, config, tensors)
        check_read(carat, file, config, tensors)
    k_config = config | SHAPE_OF_K_MODEL
    for kind in K_TYPES:
        file = temporary / f"{kind.name}.gguf"
        tensors = random_tensors(k_config, kind)
        write_gguf(file, demo, k_config, tensors)
        check_read(carat, file, k_config, tensors)


def check_damaged_files(carat: Carat, demo: Path, temporary: Path, config: dict) -> None:
    check_truncated(carat, temporary / "Q4_0.gguf")
    check_overlap(carat, temporary / "Q4_0.gguf")
    k_config = config | SHAPE_OF_K_MODEL
    incomplete = temporary / "incomplete.gguf"
    tensors = random_tensors(k_config, GGMLQuantizationType.Q4_K)
    last = tensors.popitem()[0]
    write_gguf(incomplete, demo, k_config, tensors)
    check_refused(carat, incomplete, incomplete.name, last, "missing")
    unsupported = temporary / "unsupported.gguf"
    write_gguf(unsupported, demo, k_config, random_tensors(k_config, GGMLQuantizationType.IQ4_XS))
    check_refused(carat, unsupported, unsupported.name, "token_embd.weight", "IQ4_XS")
    big_endian = temporary / "big_endian.gguf"
    write_gguf(big_endian, demo, k_config, random_tensors(k_config, GGMLQuantizationType.Q4_K),
               gguf.GGUFEndian.BIG)
    check_refused(carat, big_endian, big_endian.name, "big-endian")


def main() -> None:
    program, demo = sys.argv[1], Path(sys.argv[2])
    config = json.loads((demo / "config.json").read_text())
    with tempfile.TemporaryDirectory() as name:
        temporary = Path(name)
        carat = Carat(program, temporary / "cache")
        check_whole_files(carat, demo, temporary, config)
        check_logits(carat, temporary / "BF16.gguf", demo, config["vocab_size"])
        answer = carat.output("generate", temporary / "Q4_0.gguf", "--prompt", PROMPT,
                              "--temperature", "0")
        assert answer == ANSWER, answer
        check_damaged_files(carat, demo, temporary, config)


if __name__ == "__main__":
    main()
