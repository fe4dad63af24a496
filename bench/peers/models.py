"""Writes one checkpoint for both programs: a GGUF file, and the folder Carat compiles from it.

What both compute with is the same bits, then: those of the GGUF file.
"""

from dataclasses import dataclass
from pathlib import Path

from process import PeersError, run

MATRIX_AND_EMBEDDING = "+"  # "q4_0+q8_0", as Carat calls it


@dataclass(frozen=True)
class Quantization:
    """How matrices and the embedding, which is the output head too, are stored.

    `q4_0` for all is the smallest; the GGUF files that Google published of Gemma 3 keep the
    embedding in more bits.
    """

    name: str

    def export_flags(self) -> list[str]:
        matrix, _, embedding = self.name.partition(MATRIX_AND_EMBEDDING)
        flags = ["--quantization", matrix]
        return flags + ["--embedding-quantization", embedding] if embedding else flags


@dataclass(frozen=True)
class ModelPair:
    """The same weights as llama.cpp and as Carat read them."""

    quantization: Quantization
    gguf: Path
    compiled: Path


def check_checkpoint(folder: Path) -> None:
    for name in ("config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise PeersError(f"{folder}: has no {name}; --model takes a Hugging Face folder")


def export_gguf(carat: Path, checkpoint: Path, pair: ModelPair) -> None:
    pair.gguf.parent.mkdir(parents=True, exist_ok=True)
    pair.gguf.unlink(missing_ok=True)
    run([carat, "export", checkpoint, "--format", "gguf", *pair.quantization.export_flags(),
         "-o", pair.gguf])


def compile_gguf(carat: Path, pair: ModelPair) -> None:
    run([carat, "compile", pair.gguf, "-o", pair.compiled])


def model_pair(folder: Path, quantization: Quantization) -> ModelPair:
    return ModelPair(quantization, folder / f"{quantization.name}.gguf", folder / quantization.name)
