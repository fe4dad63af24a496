"""Do both programs choose the same next token, after the same tokens?

A text is given to both (teacher forcing), so that one different choice does not make all that
follows differ. Both round on their way, each its own way, so their logits differ a little
everywhere; where the best two tokens are nearer to each other than that, either may come first. A
disagreement is called explained when, in both programs, the other's choice is at most
EXPLAINED_RMS times the logits' own difference (its root mean square over the vocabulary there)
below the first, and that difference is what rounding makes: at most LARGEST_RMS of the logits'
standard deviation.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from npy import Float32Rows, write_int32
from process import run
from saved_logits import LogProbabilities, SavedLogits

# The difference of two logits that err independently by one rms each has a standard deviation of
# sqrt(2) rms; three of those are 4.2.
EXPLAINED_RMS = 4.2

# Activations in 8 bits err by up to 0.4% of a block's largest value, in each of some dozens of layers.
LARGEST_RMS = 0.1

# The root mean square is taken over every so manieth token: plain Python is slow.
VOCABULARY_STRIDE = 13


@dataclass(frozen=True)
class Disagreement:
    chunk: int
    position: int
    llama_cpp: int  # token ids
    carat: int
    llama_cpp_gap: float  # by how much each has its own choice above the other's
    carat_gap: float
    rms: float
    spread: float  # the standard deviation of the logits

    @property
    def explained(self) -> bool:
        return (self.rms <= LARGEST_RMS * self.spread
                and max(self.llama_cpp_gap, self.carat_gap) <= EXPLAINED_RMS * self.rms)


def rms_difference(saved: LogProbabilities, logits: array) -> float:
    """Of the logits, without the constant that a softmax ignores and without those cut off."""
    differences = [logits[token] - saved.of(token)
                   for token in range(0, len(logits), VOCABULARY_STRIDE) if saved.levels[token] > 0]
    if not differences:
        return 0.0
    return standard_deviation(differences)


def standard_deviation(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def compare_position(saved: LogProbabilities, logits: array, chunk: int,
                     position: int) -> Disagreement | None:
    carat = logits.index(max(logits))
    if saved.is_most_likely(carat):
        return None
    llama_cpp = saved.levels.index(max(saved.levels))
    return Disagreement(chunk, position, llama_cpp, carat,
                        saved.of(llama_cpp) - saved.of(carat), logits[carat] - logits[llama_cpp],
                        rms_difference(saved, logits),
                        standard_deviation(logits[::VOCABULARY_STRIDE]))


def compare_chunk(chunk: int, positions: range, saved_rows: Iterable[LogProbabilities],
                  logits: Float32Rows) -> list[Disagreement]:
    found = (compare_position(saved, logits.row(position), chunk, position)
             for position, saved in zip(positions, saved_rows))
    return [disagreement for disagreement in found if disagreement is not None]


def compare_greedy(carat: Path, compiled: Path, saved_path: Path, bos: int, scratch: Path,
                   on_chunk: Callable[[str], None]) -> dict:
    """An entry of peers.json: how often the choices agree, and each time they do not."""
    disagreements: list[Disagreement] = []
    tokens_path, logits_path = scratch / "tokens.npy", scratch / "logits.npy"
    with SavedLogits(saved_path) as saved:
        for chunk, (tokens, rows) in enumerate(saved.chunks(bos)):
            on_chunk(f"chunk {chunk + 1} of {saved.num_chunks}")
            write_int32(tokens_path, tokens)
            run([carat, "logits", compiled, "--tokens", tokens_path, "--output", logits_path])
            with Float32Rows(logits_path) as logits:
                disagreements += compare_chunk(chunk, saved.positions(), rows, logits)
        num_positions = saved.num_chunks * len(saved.positions())
    return summarize(num_positions, disagreements)


def summarize(num_positions: int, disagreements: Sequence[Disagreement]) -> dict:
    return {
        "positions": num_positions,
        "same": num_positions - len(disagreements),
        "explained": sum(each.explained for each in disagreements),
        "disagreements": [{**asdict(each), "explained": each.explained} for each in disagreements],
    }
