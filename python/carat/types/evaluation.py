"""How many questions a model answers right."""

from __future__ import annotations

from carat.types.chat import FinishReason
from pydantic import BaseModel


class Score(BaseModel):
    """How many questions were answered right."""

    accuracy: float
    """`correct` / `questions`"""
    correct: int
    questions: int


class EvaluationAnswer(BaseModel):
    """One question and what the model said."""

    task: str
    prompt: str
    """As the model read it, chat template included."""
    answer: str
    """The expected one."""
    output: str
    """The model's."""
    correct: bool
    finish_reason: FinishReason


class Evaluation(BaseModel):
    """What :func:`carat.evaluate` counted, as `carat evaluate --json` prints it."""

    model: str
    """The compiled folder."""
    quantization: str
    num_threads: int
    tasks_file: str
    max_tokens: int
    all: Score
    tasks: dict[str, Score]
    """By name, in the order in which they first occur."""
    answers: list[EvaluationAnswer]
    """In the order of the questions."""
