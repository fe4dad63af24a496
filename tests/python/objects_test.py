"""The objects that libcarat.so registers with the TVM FFI: what reflection says of each, in any host."""

from __future__ import annotations

import re
from typing import Any

import carat
import carat._engine
import carat._model
import pytest
import tvm_ffi
from conftest import SOURCE

OBJECTS: dict[str, tuple[dict[str, str], set[str]]] = {
    "carat.ChatCompletion": ({}, {"cancel", "file", "poll", "read"}),
    "carat.Engine": (
        {"model": "ffi.String", "context_window_size": "int", "num_threads": "int"},
        {"close", "create_chat_completion"},
    ),
    "carat.Model": (
        {
            "folder": "ffi.String",
            "vocab_size": "int",
            "context_window_size": "int",
            "num_threads": "int",
        },
        {"create_state", "forward", "metadata"},
    ),
    "carat.State": ({"max_tokens": "int"}, {"length", "truncate"}),
    "carat.Tokenizer": (
        {"folder": "ffi.String", "vocab_size": "int"},
        {"apply_chat_template", "decode", "encode"},
    ),
}
"""By type key, the types of its fields and its methods."""


def type_info(type_key: str) -> Any:
    return tvm_ffi.core._lookup_or_register_type_info_from_type_key(type_key)


def declarations() -> dict[str, str]:
    """The C++ classes that say they are objects: by type key, the text from `class` to there."""
    found: dict[str, str] = {}
    for header in (SOURCE / "carat").rglob("*.h"):
        for declaration in header.read_text().split("\nclass ")[1:]:
            if key := re.search(r'TVM_FFI_DECLARE_OBJECT_INFO\w*\(\s*"([^"]+)"', declaration):
                found[key[1]] = declaration
    return found


def test_every_object_of_the_sources_is_known_here() -> None:
    assert set(declarations()) == set(OBJECTS)
    derived = [
        text
        for header in (SOURCE / "carat").rglob("*.h")
        for text in re.findall(r"class (\w+)[^{;]*: public tvm::ffi::Object\b", header.read_text())
    ]
    assert len(derived) == len(OBJECTS)  # none without a type key


@pytest.mark.parametrize("type_key", OBJECTS)
def test_is_registered_with_reflection(type_key: str) -> None:
    fields, methods = OBJECTS[type_key]
    info = type_info(type_key)
    assert info.parent_type_info.type_key == "ffi.Object"
    assert info.total_size > 0  # the metadata that ObjectDef registers
    assert {field.name: field.metadata["type_schema"] for field in info.fields} == {
        name: f'{{"type":"{kind}"}}' for name, kind in fields.items()
    }
    assert all(field.frozen for field in info.fields)
    assert {method.name for method in info.methods} == methods


@pytest.mark.parametrize("type_key", OBJECTS)
def test_has_the_attributes_that_its_python_class_declares(type_key: str) -> None:
    declared = {
        name for name in type_info(type_key).type_cls.__annotations__ if not name.startswith("_")
    }
    assert declared == set(OBJECTS[type_key][0])


@pytest.mark.parametrize("type_key", OBJECTS)
def test_is_declared_mutable_if_its_state_changes(type_key: str) -> None:
    assert ("_type_mutable = true" in declarations()[type_key]) == (type_key != "carat.Tokenizer")


def test_fields_are_read_only(model: carat.Model) -> None:
    with pytest.raises(AttributeError):
        model.vocab_size = 1
    assert carat.Tokenizer(model.folder).folder == model.folder
