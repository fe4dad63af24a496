"""Reads the GGUF files that `carat export` writes with the gguf package, llama.cpp's own, and
compares them with the checkpoint.

    python3 read_exported.py CARAT CHECKPOINT
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFValueType, LlamaFileType

from checkpoint import GgufNames, is_norm, read_safetensors, read_vocabulary

ARCHITECTURE = "gemma3"
# What `carat export` calls a format, and what GGUF does.
FORMATS = {
    "q0f32": (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
    "q0f16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "q0bf16": (GGMLQuantizationType.BF16, LlamaFileType.MOSTLY_BF16),
    "q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "q4_0": (GGMLQuantizationType.Q4_0, LlamaFileType.MOSTLY_Q4_0),
}
# Hold bfloat16 as it is.
EXACT_TYPES = (GGMLQuantizationType.F32, GGMLQuantizationType.BF16)


def load_json(file: Path) -> dict:
    return json.loads(file.read_text())


def expected_counts(config: dict) -> dict:
    keys = gguf.Keys
    return {
        keys.LLM.CONTEXT_LENGTH: config["max_position_embeddings"],
        keys.LLM.EMBEDDING_LENGTH: config["hidden_size"],
        keys.LLM.BLOCK_COUNT: config["num_hidden_layers"],
        keys.LLM.FEED_FORWARD_LENGTH: config["intermediate_size"],
        keys.Attention.HEAD_COUNT: config["num_attention_heads"],
        keys.Attention.HEAD_COUNT_KV: config["num_key_value_heads"],
        keys.Attention.KEY_LENGTH: config["head_dim"],
        keys.Attention.VALUE_LENGTH: config["head_dim"],
        keys.Attention.SLIDING_WINDOW: config["sliding_window"],
        keys.Attention.SLIDING_WINDOW_PATTERN: config["_sliding_window_pattern"],
    }


def expected_numbers(config: dict) -> dict:
    keys = gguf.Keys
    return {
        keys.Attention.LAYERNORM_RMS_EPS: config["rms_norm_eps"],
        keys.Rope.FREQ_BASE: config["rope_theta"],
        keys.Rope.FREQ_BASE_SWA: config["rope_local_base_freq"],
    }


def expected_tokenizer(folder: Path) -> dict:
    keys = gguf.Keys.Tokenizer
    texts, scores, types = read_vocabulary(folder)
    config = load_json(folder / "tokenizer_config.json")
    fields = {
        keys.MODEL: ([GGUFValueType.STRING], "llama"),
        keys.PRE: ([GGUFValueType.STRING], "default"),
        keys.LIST: ([GGUFValueType.ARRAY, GGUFValueType.STRING], texts),
        keys.SCORES: ([GGUFValueType.ARRAY, GGUFValueType.FLOAT32], scores),
        keys.TOKEN_TYPE: ([GGUFValueType.ARRAY, GGUFValueType.INT32], types),
        keys.CHAT_TEMPLATE: ([GGUFValueType.STRING], config["chat_template"]),
        keys.ADD_BOS: ([GGUFValueType.BOOL], True),
        keys.ADD_EOS: ([GGUFValueType.BOOL], False),
        keys.ADD_PREFIX: ([GGUFValueType.BOOL], False),
    }
    for key, name in ((keys.BOS_ID, "bos_token"), (keys.EOS_ID, "eos_token"),
                      (keys.UNK_ID, "unk_token"), (keys.PAD_ID, "pad_token")):
        fields[key] = ([GGUFValueType.UINT32], texts.index(config[name]))
    return fields


def expected_fields(folder: Path, file_type: LlamaFileType) -> dict:
    """{key: (types, value)}"""
    general = gguf.Keys.General
    config = load_json(folder / "config.json")
    fields = {
        general.ARCHITECTURE: ([GGUFValueType.STRING], ARCHITECTURE),
        general.TYPE: ([GGUFValueType.STRING], gguf.GGUFType.MODEL),
        general.NAME: ([GGUFValueType.STRING], folder.name),
        general.FILE_TYPE: ([GGUFValueType.UINT32], int(file_type)),
        general.QUANTIZATION_VERSION: ([GGUFValueType.UINT32], gguf.GGML_QUANT_VERSION),
        **expected_tokenizer(folder),
    }
    for key, value in expected_counts(config).items():
        fields[key.format(arch=ARCHITECTURE)] = ([GGUFValueType.UINT32], value)
    for key, value in expected_numbers(config).items():
        fields[key.format(arch=ARCHITECTURE)] = ([GGUFValueType.FLOAT32], float(np.float32(value)))
    return fields


def check_fields(reader: gguf.GGUFReader, expected: dict) -> None:
    fields = {key: (field.types, field.contents()) for key, field in reader.fields.items()
              if not key.startswith("GGUF.")}  # the header's, which the reader lists as keys
    assert set(fields) == set(expected), set(fields) ^ set(expected)
    for key, field in fields.items():
        assert field == expected[key], (key, field, expected[key])


def check_layout(reader: gguf.GGUFReader, file_bytes: int) -> None:
    """llama.cpp wants every tensor where the one before it ends, rounded up."""
    offset = reader.data_offset
    for tensor in reader.tensors:
        assert tensor.data_offset == offset, tensor.name
        offset += -(-tensor.n_bytes // reader.alignment) * reader.alignment
    assert offset == file_bytes, (offset, file_bytes)


def check_tensor(tensor: gguf.ReaderTensor, kind: GGMLQuantizationType, values: np.ndarray) -> None:
    assert tensor.tensor_type == kind, (tensor.name, tensor.tensor_type)
    assert tuple(reversed(tensor.shape.tolist())) == values.shape, (tensor.name, tensor.shape)
    stored = np.ascontiguousarray(tensor.data)
    assert stored.tobytes() == gguf.quants.quantize(values, kind).tobytes(), tensor.name
    if kind in EXACT_TYPES:
        assert np.array_equal(gguf.quants.dequantize(stored, kind), values), tensor.name


def check_tensors(reader: gguf.GGUFReader, weights: dict, matrix: GGMLQuantizationType,
                  embedding: GGMLQuantizationType) -> None:
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    names = GgufNames(sum(name.endswith("q_proj.weight") for name in weights))
    assert set(tensors) == {names[name] for name in weights}
    for name, values in weights.items():
        tensor = tensors[names[name]]
        if is_norm(name):
            check_tensor(tensor, GGMLQuantizationType.F32, np.float32(1) + values)
        else:
            check_tensor(tensor, embedding if "embed_tokens" in name else matrix, values)


def check_export(carat: str, folder: Path, weights: dict, quantization: str,
                 embedding: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "model.gguf"
        subprocess.run([carat, "export", str(folder), "--format", "gguf", "--quantization",
                        quantization, "--embedding-quantization", embedding, "-o", str(file)],
                       check=True)
        matrix_type, file_type = FORMATS[quantization]
        reader = gguf.GGUFReader(file)
        check_fields(reader, expected_fields(folder, file_type))
        check_layout(reader, file.stat().st_size)
        check_tensors(reader, weights, matrix_type, FORMATS[embedding][0])


def main() -> None:
    carat, folder = sys.argv[1], Path(sys.argv[2])
    weights = read_safetensors(folder / "model.safetensors")
    for quantization in FORMATS:
        check_export(carat, folder, weights, quantization, quantization)
    check_export(carat, folder, weights, "q4_0", "q8_0")


if __name__ == "__main__":
    main()
