"""Writes files as llama-perplexity does, and logits as Carat does, small ones."""

import math
import struct
from array import array
from collections.abc import Sequence
from pathlib import Path

from saved_logits import LogProbabilities


def log_probabilities(logits: Sequence[float]) -> LogProbabilities:
    """What llama-perplexity keeps of a row of logits (perplexity.cpp, log_softmax)."""
    largest = max(logits)
    least = max(min(logits), largest - 16)
    log_sum = math.log(math.fsum(math.exp(value - largest) for value in logits))
    scale = (largest - least) / 65535
    levels = array("H", [round((value - least) / scale) if value > least else 0
                         for value in logits])
    return LogProbabilities(scale, least - largest - log_sum, levels)


def write_saved(path: Path, chunks: Sequence[Sequence[int]],
                logits: Sequence[Sequence[Sequence[float]]]) -> None:
    vocab_size = len(logits[0][0])
    parts = [b"_logits_", struct.pack("=3i", len(chunks[0]), vocab_size, len(chunks)),
             *(array("i", tokens).tobytes() for tokens in chunks)]
    for rows in logits:
        for row in rows:
            saved = log_probabilities(row)
            levels = saved.levels + array("H", [0] * (vocab_size % 2))
            parts.append(struct.pack("=2f", saved.scale, saved.least) + levels.tobytes())
    path.write_bytes(b"".join(parts))
