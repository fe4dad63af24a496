"""The flags of bench/peers/run."""

import argparse
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from machine import num_cores

SOURCE = Path(__file__).resolve().parents[2]


def whole_number(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} on")
        return int(text)
    return parse


T = TypeVar("T")


def list_of(parse: Callable[[str], T]) -> Callable[[str], list[T]]:
    return lambda text: [parse(item) for item in text.split(",")]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/peers/run", formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        description="Measures llama.cpp and Carat side by side, on the same bits, and writes "
                    "peers.json and peers.svg.")
    parser.add_argument("--model", type=Path, required=True, help="Hugging Face folder")
    parser.add_argument("--llama-cpp", type=Path, metavar="DIR",
                        help="a llama.cpp that is built already; by default one is built")
    parser.add_argument("--carat", type=Path, default=SOURCE / "build" / "carat",
                        help="the program")
    parser.add_argument("--quantization", type=list_of(str), default="q4_0,q4_0+q8_0",
                        help="of matrices, and of the embedding after a plus")
    parser.add_argument("--threads", type=list_of(whole_number(1)), metavar="LIST",
                        default=str(num_cores()))
    parser.add_argument("--pairs", type=whole_number(5), default=5,
                        help="runs of each program, 5 or more")
    parser.add_argument("--prompt-tokens", type=whole_number(1), default=512)
    parser.add_argument("--gen-tokens", type=whole_number(1), default=128)
    parser.add_argument("--depth", type=list_of(whole_number(0)), metavar="LIST", default="0",
                        help="tokens in the context before")
    parser.add_argument("--text", type=Path, default=SOURCE / "LICENSE",
                        help="for perplexity and greedy choices")
    parser.add_argument("--context", type=whole_number(4), default=256,
                        help="tokens of a chunk of the text")
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path("dist/peers"))
    return parser.parse_args()


def model_name(arguments: argparse.Namespace) -> str:
    return Path(os.path.abspath(arguments.model)).name


def command_line(arguments: argparse.Namespace) -> str:
    """What measures the same on another machine: no paths but the model's name."""
    def joined(values: list) -> str:
        return ",".join(map(str, values))

    return shlex.join([
        "bench/peers/run", "--model", model_name(arguments),
        "--quantization", joined(arguments.quantization), "--threads", joined(arguments.threads),
        "--pairs", str(arguments.pairs), "--prompt-tokens", str(arguments.prompt_tokens),
        "--gen-tokens", str(arguments.gen_tokens), "--depth", joined(arguments.depth),
    ])
