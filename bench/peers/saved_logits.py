"""Reads what `llama-perplexity --kl-divergence-base FILE` writes, all in the machine's byte order:

    "_logits_"
    int32  tokens a chunk (n), vocabulary, chunks
    int32  tokens [chunks, n], as tokenized: of each chunk the model saw BOS for the first
    then of each chunk, for its positions n / 2 .. n - 2, the log probabilities of what comes next:
      float32  scale, least
      uint16   levels [vocabulary, rounded up to an even number]

The log probability of token i is least + scale * levels[i]; a level of 0 says "that or less", 16
below the most likely token at the furthest. (tools/perplexity/perplexity.cpp, log_softmax.)
"""

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from process import PeersError

MAGIC = b"_logits_"


@dataclass(frozen=True)
class LogProbabilities:
    """Of the token after one position."""

    scale: float
    least: float
    levels: array

    def of(self, token: int) -> float:
        return self.least + self.scale * self.levels[token]

    def is_most_likely(self, token: int) -> bool:
        return self.levels[token] == max(self.levels)


class SavedLogits:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        if self._file.read(len(MAGIC)) != MAGIC:
            self._file.close()
            raise PeersError(f"{path}: not a file of llama-perplexity's logits")
        self.chunk_tokens, self.vocab_size, self.num_chunks = struct.unpack(
            "=3i", self._file.read(12))
        self._tokens = array("i")
        self._tokens.fromfile(self._file, self.num_chunks * self.chunk_tokens)

    def __enter__(self) -> "SavedLogits":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def positions(self) -> range:
        """The positions of a chunk whose successors' log probabilities are in the file."""
        return range(self.chunk_tokens // 2, self.chunk_tokens - 1)

    def chunks(self, bos: int) -> Iterator[tuple[list[int], Iterator[LogProbabilities]]]:
        """Each chunk's tokens as the model saw them, and a row for each of positions().

        The rows have to be read before the next chunk is asked for.
        """
        for chunk in range(self.num_chunks):
            first = chunk * self.chunk_tokens
            tokens = self._tokens[first : first + self.chunk_tokens].tolist()
            yield [bos, *tokens[1:]], (self._read_row() for _ in self.positions())

    def _read_row(self) -> LogProbabilities:
        try:
            scale, least = struct.unpack("=2f", self._file.read(8))
            levels = array("H")
            levels.fromfile(self._file, self.vocab_size + self.vocab_size % 2)
        except (struct.error, EOFError) as error:
            raise PeersError(f"{self._path}: ends too soon; was the disk full?") from error
        del levels[self.vocab_size :]
        return LogProbabilities(scale, least, levels)
