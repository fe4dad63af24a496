"""Gemma 3 in PyTorch, for training: sliding layers work in blocks of the window, and weights may be
rounded to Q4_0 on the way (quantization-aware training)."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from config import CONFIG

HIDDEN = CONFIG["hidden_size"]
HEAD_DIM = CONFIG["head_dim"]
NUM_HEADS = CONFIG["num_attention_heads"]
WINDOW = CONFIG["sliding_window"]


def fake_q4_0(weight):
    """The weight as Q4_0 holds it; gradients pass as if it were not rounded."""
    blocks = weight.reshape(-1, 32)
    largest = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
    scale = (largest / -8).half().float()
    divisor = torch.where(scale != 0, scale, torch.ones_like(scale))
    levels = torch.floor(blocks / divisor + 8.5).clamp(0, 15) - 8
    levels = torch.where(scale != 0, levels, torch.zeros_like(blocks))
    return weight + ((levels * scale).reshape(weight.shape) - weight).detach()


def rotate(x, angles):
    """RoPE on halves."""
    cos, sin = angles
    half = HEAD_DIM // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


def rope_angles(num_tokens, theta):
    positions = torch.arange(num_tokens).float()
    frequencies = theta ** (-torch.arange(0, HEAD_DIM, 2).float() / HEAD_DIM)
    angles = positions[:, None] * frequencies[None]
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


class Norm(nn.Module):
    def __init__(self, size, weight=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.full((size,), weight))

    def forward(self, x):
        scale = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + CONFIG["rms_norm_eps"])
        return x * scale * (1 + self.weight)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        intermediate = CONFIG["intermediate_size"]
        shapes = {
            "q": (NUM_HEADS * HEAD_DIM, HIDDEN),
            "k": (HEAD_DIM, HIDDEN),
            "v": (HEAD_DIM, HIDDEN),
            "o": (HIDDEN, NUM_HEADS * HEAD_DIM),
            "gate": (intermediate, HIDDEN),
            "up": (intermediate, HIDDEN),
            "down": (HIDDEN, intermediate),
        }
        for name, (rows, cols) in shapes.items():
            setattr(self, name, nn.Parameter(torch.randn(rows, cols) * cols**-0.5))
        self.input_norm, self.post_attention_norm = Norm(HIDDEN), Norm(HIDDEN)
        self.pre_mlp_norm, self.post_mlp_norm = Norm(HIDDEN), Norm(HIDDEN)
        # Larger than 0: sharper attention from the start.
        self.q_norm, self.k_norm = Norm(HEAD_DIM, 0.6), Norm(HEAD_DIM, 0.6)

    def hugging_face_names(self):
        return {
            "self_attn.q_proj.weight": self.q,
            "self_attn.k_proj.weight": self.k,
            "self_attn.v_proj.weight": self.v,
            "self_attn.o_proj.weight": self.o,
            "mlp.gate_proj.weight": self.gate,
            "mlp.up_proj.weight": self.up,
            "mlp.down_proj.weight": self.down,
            "input_layernorm.weight": self.input_norm.weight,
            "post_attention_layernorm.weight": self.post_attention_norm.weight,
            "pre_feedforward_layernorm.weight": self.pre_mlp_norm.weight,
            "post_feedforward_layernorm.weight": self.post_mlp_norm.weight,
            "self_attn.q_norm.weight": self.q_norm.weight,
            "self_attn.k_norm.weight": self.k_norm.weight,
        }


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.quantize = False  # whether matrices are rounded to Q4_0
        self.embedding = nn.Parameter(torch.randn(CONFIG["vocab_size"], HIDDEN) * 0.05)
        self.layers = nn.ModuleList(Layer() for _ in range(CONFIG["num_hidden_layers"]))
        self.norm = Norm(HIDDEN)

    def hugging_face_names(self):
        """The parameters under their names in a checkpoint."""
        named = {
            "model.embed_tokens.weight": self.embedding,
            "model.norm.weight": self.norm.weight,
        }
        for i, layer in enumerate(self.layers):
            for name, parameter in layer.hugging_face_names().items():
                named[f"model.layers.{i}.{name}"] = parameter
        return named

    def matrix(self, parameter):
        return fake_q4_0(parameter) if self.quantize else parameter

    def forward(self, tokens, where=None):
        """Logits of all positions, or of those that the mask `where` selects."""
        num_tokens = tokens.shape[1]
        angles = {
            "sliding_attention": rope_angles(num_tokens, CONFIG["rope_local_base_freq"]),
            "full_attention": rope_angles(num_tokens, CONFIG["rope_theta"]),
        }
        embedding = self.matrix(self.embedding)
        h = embedding[tokens] * HIDDEN**0.5
        for layer, kind in zip(self.layers, CONFIG["layer_types"]):
            x = self.attention(layer, kind, layer.input_norm(h), angles[kind])
            h = h + layer.post_attention_norm(x)
            h = h + layer.post_mlp_norm(self.mlp(layer, layer.pre_mlp_norm(h)))
        h = self.norm(h)
        return F.linear(h if where is None else h[where], embedding)

    def attention(self, layer, kind, x, angles):
        batch, num_tokens, _ = x.shape
        q = F.linear(x, self.matrix(layer.q)).view(batch, num_tokens, NUM_HEADS, HEAD_DIM)
        q = layer.q_norm(q).transpose(1, 2)
        k = layer.k_norm(F.linear(x, self.matrix(layer.k)))
        v = F.linear(x, self.matrix(layer.v))
        q = rotate(q, angles) * CONFIG["query_pre_attn_scalar"] ** -0.5
        k = rotate(k, angles)
        attend = full_attention if kind == "full_attention" else sliding_attention
        mixed = attend(q, k, v).transpose(1, 2).reshape(batch, num_tokens, NUM_HEADS * HEAD_DIM)
        return F.linear(mixed, self.matrix(layer.o))

    def mlp(self, layer, x):
        gate = F.gelu(F.linear(x, self.matrix(layer.gate)), approximate="tanh")
        return F.linear(gate * F.linear(x, self.matrix(layer.up)), self.matrix(layer.down))


def full_attention(q, k, v):
    """q [batch, heads, tokens, dim], k and v [batch, tokens, dim]: all heads share them."""
    batch, _, num_tokens, _ = q.shape
    i = torch.arange(num_tokens)
    causal = i[:, None] >= i[None]
    scores = q.reshape(batch, NUM_HEADS * num_tokens, HEAD_DIM) @ k.transpose(1, 2)
    scores = scores.view(batch, NUM_HEADS, num_tokens, num_tokens).masked_fill(~causal, -1e9)
    weights = scores.softmax(-1).view(batch, NUM_HEADS * num_tokens, num_tokens)
    return (weights @ v).view(batch, NUM_HEADS, num_tokens, HEAD_DIM)


def sliding_attention(q, k, v):
    """The same under the window: a block of WINDOW queries sees the block before it and itself."""
    batch, _, num_tokens, _ = q.shape
    padding = -num_tokens % WINDOW
    num_blocks = (num_tokens + padding) // WINDOW
    query, key = torch.arange(WINDOW)[:, None] + WINDOW, torch.arange(2 * WINDOW)[None]
    visible = ((key <= query) & (query - key < WINDOW)).expand(num_blocks, WINDOW, 2 * WINDOW)
    visible = visible.clone()
    visible[0] &= key >= WINDOW  # nothing stands before the first block

    def with_block_before(x):
        blocks = F.pad(x, (0, 0, 0, padding)).view(batch, num_blocks, WINDOW, HEAD_DIM)
        before = F.pad(x, (0, 0, WINDOW, padding))[:, :-WINDOW]
        before = before.view(batch, num_blocks, WINDOW, HEAD_DIM)
        return torch.cat([before, blocks], 2).view(batch * num_blocks, 2 * WINDOW, HEAD_DIM)

    q = F.pad(q, (0, 0, 0, padding)).view(batch, NUM_HEADS, num_blocks, WINDOW, HEAD_DIM)
    q = q.transpose(1, 2).reshape(batch * num_blocks, NUM_HEADS * WINDOW, HEAD_DIM)
    scores = q @ with_block_before(k).transpose(1, 2)
    scores = scores.view(batch, num_blocks, NUM_HEADS, WINDOW, 2 * WINDOW)
    weights = scores.masked_fill(~visible[:, None], -1e9).softmax(-1)
    weights = weights.view(batch * num_blocks, NUM_HEADS * WINDOW, 2 * WINDOW)
    mixed = (weights @ with_block_before(v)).view(batch, num_blocks, NUM_HEADS, WINDOW, HEAD_DIM)
    mixed = mixed.transpose(1, 2).reshape(batch, NUM_HEADS, num_blocks * WINDOW, HEAD_DIM)
    return mixed[:, :, :num_tokens]
