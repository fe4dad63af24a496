"""Writes Gemma 3 as GGUF with the gguf package, with the keys and types that llama.cpp's converter
gives it: keys of what is so in every Gemma 3 are left out, norms are 1 + w in F32."""

import logging
from pathlib import Path
from typing import NamedTuple

import gguf
import numpy as np
from gguf import GGMLQuantizationType

from checkpoint import GgufNames, is_norm, read_vocabulary

# Bytes of a block that are not whole numbers but F16 factors, which may not be inf or NaN.
FACTORS = {
    GGMLQuantizationType.Q4_K: (0, 2),
    GGMLQuantizationType.Q5_K: (0, 2),
    GGMLQuantizationType.Q6_K: (208,),
    GGMLQuantizationType.IQ4_XS: (0,),
}


class Tensor(NamedTuple):
    data: np.ndarray  # [rows, bytes of a row], or what numpy has a type for
    kind: GGMLQuantizationType

    def values(self) -> np.ndarray:
        return gguf.quants.dequantize(self.data, self.kind)


def quantized_tensors(weights: dict, kind: GGMLQuantizationType) -> dict[str, Tensor]:
    tensors = {}
    for name, values in weights.items():
        if is_norm(name):
            tensors[name] = Tensor(np.float32(1) + values, GGMLQuantizationType.F32)
        else:
            tensors[name] = Tensor(gguf.quants.quantize(values, kind), kind)
    return tensors


def random_blocks(shape: tuple[int, int], kind: GGMLQuantizationType,
                  random: np.random.Generator) -> Tensor:
    """For types that gguf.quants reads but does not write."""
    _, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    row_bytes = gguf.quants.quant_shape_to_byte_shape(shape, kind)[-1]
    data = random.integers(0, 256, (shape[0] * row_bytes // block_bytes, block_bytes), np.uint8)
    for begin in FACTORS[kind]:
        factors = random.uniform(-0.01, 0.01, (len(data), 1)).astype("<f2")
        data[:, begin : begin + 2] = factors.view(np.uint8)
    return Tensor(data.reshape(shape[0], row_bytes), kind)


def random_tensors(config: dict, kind: GGMLQuantizationType) -> dict[str, Tensor]:
    random = np.random.default_rng(0)
    hidden, intermediate = config["hidden_size"], config["intermediate_size"]
    queries = config["num_attention_heads"] * config["head_dim"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    matrices = {"self_attn.q_proj": (queries, hidden), "self_attn.k_proj": (keys, hidden),
                "self_attn.v_proj": (keys, hidden), "self_attn.o_proj": (hidden, queries),
                "mlp.gate_proj": (intermediate, hidden), "mlp.up_proj": (intermediate, hidden),
                "mlp.down_proj": (hidden, intermediate)}
    norms = {"input_layernorm": hidden, "self_attn.q_norm": config["head_dim"],
             "self_attn.k_norm": config["head_dim"], "post_attention_layernorm": hidden,
             "pre_feedforward_layernorm": hidden, "post_feedforward_layernorm": hidden}

    def norm(size: int) -> Tensor:
        return Tensor(random.normal(1, 0.1, size).astype(np.float32), GGMLQuantizationType.F32)

    tensors = {"model.embed_tokens.weight": random_blocks((config["vocab_size"], hidden), kind,
                                                          random),
               "model.norm.weight": norm(hidden)}
    for layer in range(config["num_hidden_layers"]):
        for name, shape in matrices.items():
            tensors[f"model.layers.{layer}.{name}.weight"] = random_blocks(shape, kind, random)
        for name, size in norms.items():
            tensors[f"model.layers.{layer}.{name}.weight"] = norm(size)
    return tensors


def add_config(writer: gguf.GGUFWriter, config: dict) -> None:
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_sliding_window(config["sliding_window"])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def add_tokenizer(writer: gguf.GGUFWriter, folder: Path) -> None:
    texts, scores, types = read_vocabulary(folder)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(texts)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    # It finds the <bos> that Gemma has before the second text of a pair remarkable.
    logging.getLogger("gguf.vocab").setLevel(logging.ERROR)
    gguf.SpecialVocab(folder, n_vocab=len(texts)).add_to_gguf(writer, quiet=True)
    writer.add_add_space_prefix(False)


def write_gguf(file: Path, folder: Path, config: dict, tensors: dict[str, Tensor],
               endianess: gguf.GGUFEndian = gguf.GGUFEndian.LITTLE) -> None:
    """`folder` has the tokenizer; `config` is that of the tensors."""
    writer = gguf.GGUFWriter(file, "gemma3", endianess=endianess)
    add_config(writer, config)
    add_tokenizer(writer, folder)
    names = GgufNames(config["num_hidden_layers"])
    for name, tensor in tensors.items():
        writer.add_tensor(names[name], tensor.data, raw_dtype=tensor.kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
