"""What a GGUF file of a Hugging Face folder has to hold: its weights, under the names that the gguf
package gives them, and its vocabulary."""

import json
import struct
from pathlib import Path

import gguf
import numpy as np

SENTENCE_PIECE_SPACE = "\u2581"


def read_safetensors(file: Path) -> dict[str, np.ndarray]:
    data = file.read_bytes()
    begin = 8 + struct.unpack_from("<Q", data)[0]
    tensors = {}
    for name, entry in json.loads(data[8:begin]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            values = floats(data[begin + first : begin + last], entry["dtype"])
            tensors[name] = values.reshape(entry["shape"])
    return tensors


def floats(data: bytes, dtype: str) -> np.ndarray:
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    assert dtype == "F32", dtype
    return np.frombuffer(data, "<f4")


class GgufNames:
    def __init__(self, num_layers: int):
        self._names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA3, num_layers)

    def __getitem__(self, hugging_face_name: str) -> str:
        name = self._names.get_name(hugging_face_name, try_suffixes=(".weight",))
        assert name is not None, hugging_face_name
        return name


def is_norm(name: str) -> bool:
    return name.endswith("norm.weight")


def read_vocabulary(folder: Path) -> tuple[list[str], list[float], list[int]]:
    """Texts, scores and types by token id, as llama.cpp's converter writes those of Gemma."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    model = tokenizer["model"]
    ranks = {}
    for rank, (left, right) in enumerate(model["merges"]):
        ranks.setdefault(left + right, rank)
    tokens = {}
    for text, token in model["vocab"].items():
        is_byte = text.startswith("<0x") and len(text) == len("<0x00>")
        tokens[token] = (text, -float(ranks.get(text, len(model["merges"]))),
                         gguf.TokenType.BYTE if is_byte else gguf.TokenType.NORMAL)
    for added in tokenizer["added_tokens"]:
        text = added["content"]
        if added["special"] or text in ("<pad>", "<mask>") or text.startswith("<unused"):
            tokens[added["id"]] = (text, -1000.0, gguf.TokenType.CONTROL)
        else:
            text = text.replace(SENTENCE_PIECE_SPACE, " ")
            tokens[added["id"]] = (text, -1000.0, gguf.TokenType.USER_DEFINED)
    assert sorted(tokens) == list(range(len(tokens)))
    texts, scores, types = zip(*(tokens[token] for token in range(len(tokens))))
    return list(texts), list(scores), [int(kind) for kind in types]
