"""Carat compiles small language models and runs them.

import carat

path = carat.compile("models/demo", quantization="q4_0")
engine = carat.Engine(path)
answer = engine.chat.completions.create(messages=[{"role": "user", "content": "What is the capital of France?"}])
print(answer.choices[0].message.content)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carat.errors import Error, InvalidArgumentError, VersionMismatchError

if TYPE_CHECKING:
    from carat._chat import AsyncStream, Parameters, Stream
    from carat._compile import compile
    from carat._convert import convert_weight, export, gen_config
    from carat._engine import AsyncEngine, Engine
    from carat._inspect import inspect
    from carat._measure import evaluate, perplexity
    from carat._model import Model, State, load
    from carat._progress import Progress
    from carat._tokenizer import Tokenizer
    from carat._version import __version__

__all__ = [
    "AsyncEngine",
    "AsyncStream",
    "Engine",
    "Error",
    "InvalidArgumentError",
    "Model",
    "Parameters",
    "Progress",
    "State",
    "Stream",
    "Tokenizer",
    "VersionMismatchError",
    "__version__",
    "compile",
    "convert_weight",
    "evaluate",
    "export",
    "gen_config",
    "inspect",
    "load",
    "perplexity",
]

# What is imported when it is first asked for, so that the command `carat`, which imports this package too,
# does not wait for it: modules and what they define.
_LAZY = {
    "carat._chat": ["AsyncStream", "Parameters", "Stream"],
    "carat._compile": ["compile"],
    "carat._convert": ["convert_weight", "export", "gen_config"],
    "carat._engine": ["AsyncEngine", "Engine"],
    "carat._inspect": ["inspect"],
    "carat._measure": ["evaluate", "perplexity"],
    "carat._model": ["Model", "State", "load"],
    "carat._progress": ["Progress"],
    "carat._tokenizer": ["Tokenizer"],
    "carat._version": ["__version__"],
}
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'carat' has no attribute '{name}'")
    import importlib

    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
