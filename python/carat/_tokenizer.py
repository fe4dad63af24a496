"""Text to token ids and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import tvm_ffi
from carat import _arguments, _native
from carat._arrays import TokenIds, token_ids
from carat._objects import Methods, register

if TYPE_CHECKING:
    from carat._compile import StrPath


@register("carat.Tokenizer")
class Tokenizer(tvm_ffi.Object):
    """The tokenizer and the chat template of a model's folder. Any number of threads may use it."""

    _cxx: Methods
    folder: str
    vocab_size: int
    """One more than the largest token id."""

    def __init__(self, folder: StrPath) -> None:
        """Reads tokenizer.json, and the chat template if there is one, of `folder`."""
        self.__init_handle_by_constructor__(
            _native.function("load_tokenizer"), _arguments.path(folder, "folder")
        )

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        """Token ids of `text`; with those that the tokenizer adds (<bos>), unless told otherwise."""
        return list(self._cxx.encode(self, _arguments.text(text, "text"), bool(add_special_tokens)))

    def decode(self, tokens: TokenIds, *, skip_special_tokens: bool = True) -> str:
        """The text of token ids: a list, or an int32 or int64 array [n]."""
        return str(self._cxx.decode(self, token_ids(tokens), bool(skip_special_tokens)))

    def apply_chat_template(
        self, messages: Sequence[Mapping[str, str]], *, add_generation_prompt: bool = True
    ) -> str:
        """The text of a conversation, for :meth:`encode` with `add_special_tokens=False`.

        Parameters
        ----------
        messages
            Each with a role ("system", "user", "assistant") and a content.
        add_generation_prompt
            Whether the text ends with the opening of the assistant's turn.

        Raises
        ------
        Error
            If the folder has no chat template, or it refuses the conversation.

        """
        conversation = [
            {
                name: _arguments.text(each[name], f"messages[{index}].{name}")
                for name in ("role", "content")
                if name in each
            }
            for index, each in enumerate(messages)
        ]
        return str(self._cxx.apply_chat_template(self, conversation, bool(add_generation_prompt)))
