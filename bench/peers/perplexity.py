"""The perplexity of a text by both programs, taken the same way.

llama.cpp's way: chunks of --context tokens with BOS in the first one's place, of which the second
half counts.
"""

import json
import re
from pathlib import Path

from build_llama_cpp import LlamaCppPrograms
from process import PeersError, run

FINAL_ESTIMATE = re.compile(r"Final estimate: PPL = ([0-9.]+)")
CHUNKS = re.compile(r"calculating perplexity over (\d+) chunks")
TOO_SHORT = "you need at least"


def perplexity_command(programs: LlamaCppPrograms, gguf: Path, text: Path, context: int,
                       num_threads: int) -> list[str | Path]:
    # A batch of one chunk: of several, llama.cpp would keep all their logits at once.
    return [programs.perplexity, "-m", gguf, "-f", text, "-c", str(context), "-b", str(context),
            "-t", str(num_threads), "-ngl", "0"]


def perplexity_of_llama_cpp(programs: LlamaCppPrograms, gguf: Path, text: Path, context: int,
                            num_threads: int) -> dict:
    finished = run(perplexity_command(programs, gguf, text, context, num_threads))
    said = "\n".join([finished.stdout, *(line for _, line in finished.lines)])
    return parse_perplexity(said, text, context)


def parse_perplexity(said: str, text: Path, context: int) -> dict:
    if TOO_SHORT in said:
        raise PeersError(f"{text}: too short: it takes two chunks of {context} tokens; give a "
                         "longer --text or a smaller --context")
    estimate, chunks = FINAL_ESTIMATE.search(said), CHUNKS.search(said)
    if estimate is None or chunks is None:
        raise PeersError(f"llama-perplexity: printed no final estimate for {text}")
    counted = context - context // 2 - 1
    return {"perplexity": float(estimate[1]), "tokens": int(chunks[1]) * counted}


def save_logits(programs: LlamaCppPrograms, gguf: Path, text: Path, context: int, num_threads: int,
                num_chunks: int, output: Path) -> None:
    run([*perplexity_command(programs, gguf, text, context, num_threads),
         "--chunks", str(num_chunks), "--kl-divergence-base", output])


def perplexity_of_carat(carat: Path, compiled: Path, text: Path, context: int,
                        num_threads: int) -> dict:
    finished = run([carat, "perplexity", compiled, "--file", text, "--context", str(context),
                    "--method", "llama.cpp", "--threads", str(num_threads), "--json"])
    said = json.loads(finished.stdout)
    return {"perplexity": said["perplexity"], "tokens": said["scored_tokens"]}


def has_perplexity(carat: Path) -> bool:
    commands = run([carat, "--help"]).stdout
    return re.search(r"^\s+perplexity\b", commands, re.MULTILINE) is not None
