"""The flags of bench/peers/run."""

import argparse
import os
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from machine import num_cores

SOURCE = Path(__file__).resolve().parents[2]
TEXT = SOURCE / "LICENSE"  # which is the same everywhere and stays so


def whole_number(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} on")
        return int(text)
    return parse


def quantization(text: str) -> str:
    if not re.fullmatch(r"\w+(\+\w+)?", text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a quantization like q4_0 or q4_0+q8_0")
    return text


T = TypeVar("T")


def list_of(parse: Callable[[str], T]) -> Callable[[str], list[T]]:
    return lambda text: [parse(item) for item in text.split(",")]


def parse_arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/peers/run",
        description="Measures llama.cpp and Carat side by side, on the same bits, and writes "
                    "peers.json and peers.svg.")
    parser.add_argument("--model", type=Path, metavar="FOLDER", required=True,
                        help="Hugging Face folder")
    parser.add_argument("--llama-cpp", type=Path, metavar="DIR",
                        help="a llama.cpp that is built already (default: builds one)")
    parser.add_argument("--carat", type=Path, metavar="PROGRAM", default=SOURCE / "build" / "carat",
                        help="(default: build/carat)")
    parser.add_argument("--quantization", type=list_of(quantization), metavar="LIST",
                        default="q4_0,q4_0+q8_0",
                        help="of matrices, and of the embedding after a plus (%(default)s)")
    parser.add_argument("--threads", type=list_of(whole_number(1)), metavar="LIST",
                        default=str(num_cores()), help="(default: one a physical core)")
    parser.add_argument("--pairs", type=whole_number(5), metavar="N", default=5,
                        help="runs of each program, 5 or more (%(default)s)")
    parser.add_argument("--prompt-tokens", type=whole_number(1), metavar="N", default=512,
                        help="tokens to prefill (%(default)s)")
    parser.add_argument("--gen-tokens", type=whole_number(1), metavar="N", default=128,
                        help="tokens to decode (%(default)s)")
    parser.add_argument("--depth", type=list_of(whole_number(0)), metavar="LIST", default="0",
                        help="tokens in the context before (%(default)s)")
    parser.add_argument("--text", type=Path, metavar="FILE", default=TEXT,
                        help="for perplexity and greedy choices (default: LICENSE)")
    parser.add_argument("--context", type=whole_number(4), metavar="N", default=256,
                        help="tokens of a chunk of the text (%(default)s)")
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path("dist/peers"),
                        help="(default: %(default)s)")
    return parser.parse_args(words)


def model_name(arguments: argparse.Namespace) -> str:
    return Path(os.path.abspath(arguments.model)).name


def command_line(arguments: argparse.Namespace) -> str:
    """What measures the same on another machine: no folders, which differ there."""
    def joined(values: list) -> str:
        return ",".join(map(str, values))

    text = [] if arguments.text == TEXT else ["--text", arguments.text.name]
    return shlex.join([
        "bench/peers/run", "--model", model_name(arguments),
        "--quantization", joined(arguments.quantization), "--threads", joined(arguments.threads),
        "--pairs", str(arguments.pairs), "--prompt-tokens", str(arguments.prompt_tokens),
        "--gen-tokens", str(arguments.gen_tokens), "--depth", joined(arguments.depth),
        *text, "--context", str(arguments.context),
    ])
