"""Reads and writes the demo model as a Hugging Face folder."""

import json
import struct
from pathlib import Path

import torch

from config import CONFIG, GENERATION_CONFIG
from tokenizer import TOKENIZER_CONFIG


@torch.no_grad()
def load(model, folder):
    """Takes over the weights of a checkpoint that save() wrote."""
    raw = Path(folder, "model.safetensors").read_bytes()
    header_bytes = struct.unpack("<Q", raw[:8])[0]
    header, data = json.loads(raw[8 : 8 + header_bytes]), raw[8 + header_bytes :]
    for name, parameter in model.hugging_face_names().items():
        begin, end = header[name]["data_offsets"]
        values = torch.frombuffer(bytearray(data[begin:end]), dtype=torch.bfloat16)
        parameter.copy_(values.float().view(header[name]["shape"]))


def save(model, tokenizer, folder):
    folder = Path(folder)
    (folder / "model.safetensors").write_bytes(to_safetensors(model.hugging_face_names()))
    write_json(folder / "config.json", CONFIG, indent=2)
    write_json(folder / "generation_config.json", GENERATION_CONFIG, indent=2)
    write_json(folder / "tokenizer.json", tokenizer.to_json(), ensure_ascii=False, indent=0)
    write_json(folder / "tokenizer_config.json", TOKENIZER_CONFIG, indent=2)


def to_safetensors(tensors):
    header, blobs, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name in sorted(tensors):
        values = tensors[name].detach().to(torch.bfloat16).contiguous()
        blob = values.view(torch.int16).numpy().tobytes()
        header[name] = {
            "dtype": "BF16",
            "shape": list(values.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(blobs)


def write_json(path, value, **style):
    path.write_text(json.dumps(value, **style), encoding="utf-8")
