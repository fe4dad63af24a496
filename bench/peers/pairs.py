"""Statistics of runs that come in pairs, one of each program, taken one after the other.

A machine's speed drifts: what else runs, how warm it is. The ratio within a pair is drift's least
victim, so ratios are taken there and their median and range reported. The order within a pair
alternates (llama.cpp, Carat, Carat, llama.cpp, ...), so that neither is always the first.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import Enum


class Peer(Enum):
    LLAMA_CPP = "llama_cpp"
    CARAT = "carat"


def by_turns(num_pairs: int) -> Iterator[tuple[int, Peer]]:
    """(pair, which program) in the order of running."""
    order = [Peer.LLAMA_CPP, Peer.CARAT]
    for pair in range(num_pairs):
        for peer in order if pair % 2 == 0 else reversed(order):
            yield pair, peer


@dataclass(frozen=True)
class Summary:
    median: float
    min: float
    max: float


def summarize(values: Sequence[float]) -> Summary:
    return Summary(statistics.median(values), min(values), max(values))


def paired(llama_cpp: Sequence[float], carat: Sequence[float]) -> dict:
    """What peers.json says of two series of rates: each one's, and Carat's by llama.cpp's."""
    ratios = [mine / theirs for theirs, mine in zip(llama_cpp, carat, strict=True)]
    series = {Peer.LLAMA_CPP.value: llama_cpp, Peer.CARAT.value: carat, "ratio": ratios}
    return {name: {"pairs": list(values), **asdict(summarize(values))}
            for name, values in series.items()}
