"""Runs all of bench/peers on the demo model, llama.cpp's build included.

    whole_run.py CARAT SOURCE_DIR

With LLAMA_CPP=DIR in the environment that llama.cpp is taken instead of one built here.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

PAIRS = 5


def command(carat: str, source: Path, output: Path) -> list[str]:
    llama_cpp = os.environ.get("LLAMA_CPP")
    return [str(source / "bench/peers/run"), "--carat", carat,
            "--model", str(source / "models/demo"), "--output", str(output),
            "--threads", "1", "--pairs", str(PAIRS), "--prompt-tokens", "64", "--gen-tokens", "8",
            "--depth", "0,32", *(["--llama-cpp", llama_cpp] if llama_cpp else [])]


def check_results(peers: dict) -> None:
    conditions = {(result["quantization"], result["depth"]) for result in peers["results"]}
    assert conditions == {("q4_0", 0), ("q4_0", 32), ("q4_0+q8_0", 0), ("q4_0+q8_0", 32)}
    for result in peers["results"]:
        for work in ("prefill", "decode"):
            for series in ("carat", "llama_cpp", "ratio"):
                assert len(result[work][series]["pairs"]) == PAIRS, result
                assert result[work][series]["min"] > 0, result
        for peer in ("carat", "llama_cpp"):
            assert result["load_s"][peer] > 0 and result["peak_memory_bytes"][peer] > 4 << 20


def check_quality(peers: dict) -> None:
    assert len(peers["quality"]) == 2
    for quality in peers["quality"]:
        greedy = quality["greedy"]
        assert greedy["same"] + len(greedy["disagreements"]) == greedy["positions"] > 100
        assert greedy["same"] >= 0.9 * greedy["positions"], greedy
        assert greedy["explained"] == len(greedy["disagreements"]), greedy
        perplexity = quality["perplexity"]
        if "carat" in perplexity:
            ratio = perplexity["carat"]["perplexity"] / perplexity["llama_cpp"]["perplexity"]
            assert perplexity["carat"]["tokens"] == perplexity["llama_cpp"]["tokens"], perplexity
            assert abs(ratio - 1) < 0.02, perplexity


def check_steps(said: str) -> None:
    steps = [line for line in said.splitlines() if line.startswith("[")]
    assert steps and steps[-1].startswith(f"[{len(steps)}/{len(steps)}] "), said


def check_interrupted(arguments: list[str], output: Path) -> None:
    child = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 1 and "interrupted, nothing written" in said, said
    assert not output.exists()


def main() -> None:
    carat, source = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "peers"
        finished = subprocess.run(command(carat, source, output), check=False, text=True,
                                  stderr=subprocess.PIPE)
        assert finished.returncode == 0, finished.stderr
        check_steps(finished.stderr)
        assert sorted(path.name for path in output.iterdir()) == ["peers.json", "peers.svg"]
        peers = json.loads((output / "peers.json").read_text())
        check_results(peers)
        check_quality(peers)
        ElementTree.parse(output / "peers.svg")
        other = Path(folder) / "interrupted"
        check_interrupted(command(carat, source, other), other)


if __name__ == "__main__":
    main()
