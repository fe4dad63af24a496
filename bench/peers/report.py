"""What peers.json says, in words: the rows of a table, and Markdown.

peers.json, written by `run`: "command", "date", "machine", "model", "carat", "llama_cpp",
"prompt_tokens", "gen_tokens", "pairs", then "results" (see measure.py) and "quality" (quality.py).
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from machine import is_busy

LINE_WIDTH = 100  # of the pages this goes into


@dataclass(frozen=True)
class Row:
    """One kind of work under one condition; rates are medians in tokens a second."""

    quantization: str
    work: str  # "prefill of 512", "decode of 128 after 4096"
    num_threads: int
    carat: float
    llama_cpp: float
    ratio: float
    ratio_min: float
    ratio_max: float


def rows(peers: dict) -> list[Row]:
    return [row for result in peers["results"] for row in _rows_of(peers, result)]


def _rows_of(peers: dict, result: dict) -> Iterator[Row]:
    after = f" after {result['depth']}" if result["depth"] > 0 else ""
    for name, count in (("prefill", peers["prompt_tokens"]), ("decode", peers["gen_tokens"])):
        rates = result[name]
        ratio = rates["ratio"]
        yield Row(result["quantization"], f"{name} of {count}{after}", result["num_threads"],
                  rates["carat"]["median"], rates["llama_cpp"]["median"], ratio["median"],
                  ratio["min"], ratio["max"])


def three_digits(value: float) -> str:
    """1296, 76.4, 2.13: as many digits as two runs may agree in."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def machine_line(peers: dict) -> str:
    machine = peers["machine"]
    cores = f"{machine['cores']} core{'s' if machine['cores'] > 1 else ''}"
    return f"{cores} of {machine['processor']}, {peers['carat']['target']}"


def _table(head: list[str], body: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def speed_table(peers: dict) -> str:
    head = ["weights", "work", "threads", "Carat", "llama.cpp", "ratio", "its range"]
    return _table(head, [
        [row.quantization, row.work, str(row.num_threads), three_digits(row.carat),
         three_digits(row.llama_cpp), f"{row.ratio:.2f}",
         f"{row.ratio_min:.2f} to {row.ratio_max:.2f}"]
        for row in rows(peers)])


def memory_table(peers: dict) -> str:
    head = ["weights", "threads", "depth", "memory of Carat", "llama.cpp", "load time of Carat",
            "llama.cpp"]
    body = []
    for result in peers["results"]:
        memory, load = result["peak_memory_bytes"], result["load_s"]
        body.append([
            result["quantization"], str(result["num_threads"]), str(result["depth"]),
            f"{memory['carat'] * 1e-6:.0f} MB", f"{memory['llama_cpp'] * 1e-6:.0f} MB",
            f"{load['carat']:.2f} s", f"{load['llama_cpp']:.2f} s"])
    return _table(head, body)


def quality_table(peers: dict) -> str:
    head = ["weights", "perplexity by Carat", "by llama.cpp", "same greedy choice",
            "of the others explained"]
    body = []
    for quality in peers["quality"]:
        perplexity, greedy = quality["perplexity"], quality["greedy"]
        others = greedy["positions"] - greedy["same"]
        body.append([
            quality["quantization"],
            *(_perplexity(perplexity.get(peer)) for peer in ("carat", "llama_cpp")),
            f"{greedy['same']} of {greedy['positions']} "
            f"({100 * greedy['same'] / greedy['positions']:.1f}%)",
            f"{greedy['explained']} of {others}"])
    return _table(head, body)


def _perplexity(measured: dict | None) -> str:
    if measured is None:
        return "not measured"
    return f"{measured['perplexity']:.6g} ({measured['tokens']} tokens)"


def introduction(peers: dict) -> str:
    llama_cpp = peers["llama_cpp"]
    flash = "on" if llama_cpp["flash_attention"] else "off"
    load = peers["machine"]["load_average_before"]
    busy = (f" Other programs ran on the machine (load average {load}), which is why the ratios "
            "spread." if is_busy(load) else "")
    text = (f"{peers['model']} on {machine_line(peers)}; Carat {peers['carat']['version']}, "
            f"llama.cpp {llama_cpp['commit']} with flash attention {flash}, the faster way there. "
            f"Medians of {peers['pairs']} pairs of runs, in tokens a second ({peers['date']})."
            f"{busy}")
    return textwrap.fill(text, LINE_WIDTH)


def speed(peers: dict) -> str:
    return "\n\n".join([introduction(peers), speed_table(peers), f"    {peers['command']}"])


def markdown(peers: dict) -> str:
    return "\n\n".join([speed(peers), memory_table(peers), quality_table(peers)])
