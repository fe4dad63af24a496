"""What calls return: of the engine, OpenAI's response types by their names; and what was measured.

https://platform.openai.com/docs/api-reference/chat/object and .../chat/streaming
"""

from __future__ import annotations

from carat.types.chat import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatCompletionMessage,
    ChatCompletionTokenLogprob,
    Choice,
    ChoiceDelta,
    ChoiceLogprobs,
    ChunkChoice,
    CompletionUsage,
    PromptTokensDetails,
    TopLogprob,
)
from carat.types.evaluation import Evaluation, EvaluationAnswer, Score
from carat.types.perplexity import Perplexity

__all__ = [
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatCompletionMessage",
    "ChatCompletionTokenLogprob",
    "Choice",
    "ChoiceDelta",
    "ChoiceLogprobs",
    "ChunkChoice",
    "CompletionUsage",
    "Evaluation",
    "EvaluationAnswer",
    "Perplexity",
    "PromptTokensDetails",
    "Score",
    "TopLogprob",
]
