"""Runs both programs by turns under every condition and sums up what they took."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from build_llama_cpp import LlamaCppPrograms
from pairs import Peer, by_turns, paired
from programs import Condition, Lengths, Sample, bench_carat, bench_llama_cpp
from progress import Progress
from report import threads


@dataclass(frozen=True)
class Peers:
    """The two programs, and what they are to run."""

    llama_cpp: LlamaCppPrograms
    carat: Path
    lengths: Lengths


def faster_flash_attention(peers: Peers, condition: Condition, progress: Progress) -> bool:
    """Whether llama.cpp takes less time for a prompt and an answer with flash attention."""
    seconds = {}
    for flash_attention in (True, False):
        progress.step(f"llama.cpp {'with' if flash_attention else 'without'} flash attention")
        sample = bench_llama_cpp(peers.llama_cpp, condition, peers.lengths, flash_attention)
        seconds[flash_attention] = (peers.lengths.prompt_tokens / sample.prefill +
                                    peers.lengths.gen_tokens / sample.decode)
    return seconds[True] <= seconds[False]


def measure(peers: Peers, condition: Condition, num_pairs: int, flash_attention: bool,
            progress: Progress) -> dict:
    """`num_pairs` runs of each program: an entry of peers.json's "results"."""
    bench: dict[Peer, Callable[[], Sample]] = {
        Peer.LLAMA_CPP: lambda: bench_llama_cpp(peers.llama_cpp, condition, peers.lengths,
                                                flash_attention),
        Peer.CARAT: lambda: bench_carat(peers.carat, condition, peers.lengths),
    }
    samples: dict[Peer, list[Sample]] = {peer: [] for peer in Peer}
    for pair, peer in by_turns(num_pairs):
        progress.step(f"{condition.model.quantization.name}, {threads(condition.num_threads)}, "
                      f"depth {condition.depth}, pair {pair + 1} of {num_pairs}: {peer.value}")
        samples[peer].append(bench[peer]())
    return summarize_samples(condition, samples)


def summarize_samples(condition: Condition, samples: dict[Peer, list[Sample]]) -> dict:
    def rates(name: str) -> dict:
        return paired(*([getattr(sample, name) for sample in samples[peer]]
                        for peer in (Peer.LLAMA_CPP, Peer.CARAT)))

    def medians(name: str) -> dict:
        return {peer.value: statistics.median(getattr(sample, name) for sample in samples[peer])
                for peer in Peer}

    return {
        "quantization": condition.model.quantization.name,
        "num_threads": condition.num_threads,
        "depth": condition.depth,
        "prefill": rates("prefill"),
        "decode": rates("decode"),
        "peak_memory_bytes": medians("peak_memory_bytes"),
        "load_s": medians("load_s"),
    }
