"""Asks a host of a compiled library for the tokens that `carat generate --temperature 0` gives.

    compare_ids.py CARAT DIST_FOLDER TEXT HOST...

HOST... is a command that takes LIBRARY NUM_TOKENS PROMPT_TOKEN... and prints NUM_TOKENS ids, as the
examples of embedding do. TEXT is a file to take a long prompt from.
"""

import json
import subprocess
import sys
from pathlib import Path

MAX_TOKENS = 24


def generate(carat: str, folder: Path, *flags: str) -> dict:
    done = subprocess.run([carat, "generate", folder, "--temperature", "0", "--json",
                           "--max-tokens", str(MAX_TOKENS), *flags],
                          check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def host_ids(host: list[str], library: Path, num_tokens: int, prompt: list[int]) -> list[int]:
    done = subprocess.run([*host, library, str(num_tokens), *map(str, prompt)], check=True,
                          stdout=subprocess.PIPE, text=True)
    return [int(word) for word in done.stdout.split()]


def compare(host: list[str], folder: Path, expected: dict, stop_tokens: list[int]) -> None:
    tokens = expected["tokens"]
    stopped = expected["finish_reason"] == "stop"
    ids = host_ids(host, folder / "model.so", len(tokens) + stopped, expected["prompt_tokens"])
    assert ids[: len(tokens)] == tokens, (ids, expected)
    if stopped:
        assert ids[len(tokens)] in stop_tokens, (ids, expected)


def main() -> None:
    carat, folder, text, host = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
    config = json.loads((folder / "carat-config.json").read_text())
    short = [generate(carat, folder, "--prompt", prompt) for prompt in (
        "What is the capital of France?", "Sort these words from A to Z: river apple stone")]
    # Longer than what sliding layers see, and than what one call takes.
    letters = Path(text).read_text()
    long = [generate(carat, folder, "--raw", "--prompt", letters[:length])
            for length in (400, 3000)]
    assert len(long[0]["prompt_tokens"]) > config["metadata"]["sliding_window"]
    assert len(long[1]["prompt_tokens"]) > config["metadata"]["prefill_chunk_size"]
    for expected in (*short, *long):
        assert expected["tokens"], expected
        compare(host, folder, expected, config["generation"]["eos_token_id"])


if __name__ == "__main__":
    main()
