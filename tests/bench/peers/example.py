"""A small peers.json, as bench/peers/run would write it."""

import copy

from pairs import paired


def _rates(carat: list[float], llama_cpp: list[float]) -> dict:
    return paired(llama_cpp, carat)


_EXAMPLE = {
    "command": "bench/peers/run --model gemma-270m",
    "date": "2026-11-20",
    "machine": {"processor": "Ryzen <9>", "cores": 2, "memory_bytes": 8 << 30,
                "architecture": "x86_64", "load_average_before": 0.1},
    "model": "gemma-270m",
    "carat": {"version": "0.1.0", "target": "x86-64-v3"},
    "llama_cpp": {"commit": "de3ff81", "flash_attention": True},
    "prompt_tokens": 512,
    "gen_tokens": 128,
    "pairs": 3,
    "results": [{
        "quantization": "q4_0",
        "num_threads": 2,
        "depth": 4096,
        "prefill": _rates([1200.0, 1000.0, 1100.0], [400.0, 500.0, 500.0]),
        "decode": _rates([90.0, 80.0, 60.0], [80.0, 80.0, 80.0]),
        "peak_memory_bytes": {"llama_cpp": 402e6, "carat": 251e6},
        "load_s": {"llama_cpp": 0.5, "carat": 0.25},
    }],
    "quality": [{
        "quantization": "q4_0",
        "text": "LICENSE",
        "context": 256,
        "perplexity": {"llama_cpp": {"perplexity": 12.5, "tokens": 254}},
        "greedy": {"positions": 200, "same": 198, "explained": 1, "disagreements": []},
    }],
}


def example() -> dict:
    return copy.deepcopy(_EXAMPLE)
