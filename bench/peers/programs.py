"""One run of each program's own benchmark, and what it printed in the same words for both.

Both measure prefill and decoding of random tokens apart, once after a round that is not counted,
and neither samples. Where the context is not empty before, Carat's prompt follows the decoded
tokens, which llama.cpp's does not. At its end `carat bench` measures the memory's bandwidth, in a
buffer of what a token reads but at least 64 MB: only for smaller models does that raise its peak
memory.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from build_llama_cpp import LlamaCppPrograms
from models import ModelPair
from process import Finished, PeersError, run


@dataclass(frozen=True)
class Condition:
    """What a pair of runs has in common."""

    model: ModelPair
    num_threads: int
    depth: int  # tokens in the context before


@dataclass(frozen=True)
class Lengths:
    prompt_tokens: int
    gen_tokens: int


@dataclass(frozen=True)
class Sample:
    prefill: float  # tokens a second
    decode: float
    load_s: float  # until the first token can be computed, with the file in the page cache
    peak_memory_bytes: int


def bench_llama_cpp(programs: LlamaCppPrograms, condition: Condition, lengths: Lengths,
                    flash_attention: bool) -> Sample:
    finished = run([
        programs.bench, "-m", condition.model.gguf, "-t", str(condition.num_threads),
        "-p", str(lengths.prompt_tokens), "-n", str(lengths.gen_tokens),
        "-d", str(condition.depth), "-r", "1", "-ngl", "0", "-fa", str(int(flash_attention)),
        "-o", "json", "--progress"])
    return parse_llama_bench(finished)


def parse_llama_bench(finished: Finished) -> Sample:
    """llama-bench says no load time, but with --progress when it starts and when it has loaded."""
    rates = {}
    for test in json.loads(finished.stdout):
        rates["prefill" if test["n_prompt"] > 0 else "decode"] = test["avg_ts"]
    starting = _second_of(finished, "starting")
    return Sample(rates["prefill"], rates["decode"], _second_of(finished, "warmup") - starting,
                  finished.peak_memory_bytes)


def _second_of(finished: Finished, word: str) -> float:
    for second, line in finished.lines:
        if line.startswith("llama-bench: benchmark 1/") and word in line:
            return second
    raise PeersError(f"llama-bench: printed no line with '{word}'; this comparison knows the "
                     "llama.cpp that it builds, of which another version may differ")


def bench_carat(carat: Path, condition: Condition, lengths: Lengths) -> Sample:
    finished = run([
        carat, "bench", condition.model.compiled, "--threads", str(condition.num_threads),
        "--prompt-tokens", str(lengths.prompt_tokens), "--gen-tokens", str(lengths.gen_tokens),
        "--depth", str(condition.depth), "--repetitions", "1", "--json"])
    return parse_carat_bench(finished)


def parse_carat_bench(finished: Finished) -> Sample:
    said = json.loads(finished.stdout)
    return Sample(said["prefill"]["tokens_per_s"], said["decode"]["tokens_per_s"], said["load_s"],
                  finished.peak_memory_bytes)


def carat_version(carat: Path) -> str:
    return run([carat, "--version"]).stdout.split()[-1]


def carat_target(carat: Path, compiled: Path) -> str:
    """The instruction set `compiled` was compiled for."""
    finished = run([carat, "bench", compiled, "--prompt-tokens", "1", "--gen-tokens", "1",
                    "--repetitions", "1", "--json"])
    return json.loads(finished.stdout)["target"]


def llama_cpp_build(programs: LlamaCppPrograms, gguf: Path) -> str:
    finished = run([programs.bench, "-m", gguf, "-p", "1", "-n", "0", "-r", "1", "-ngl", "0",
                    "-o", "json"])
    return json.loads(finished.stdout)[0]["build_commit"]
