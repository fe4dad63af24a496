"""carat.convert_weight, gen_config and export: the files that the command line writes."""

from __future__ import annotations

import json
import math
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import carat
import pytest
from conftest import DEMO

CONVERT: dict[str, Any] = {"quantization": "q4f16_1"}
CONFIG: dict[str, Any] = {"quantization": "q4f16_1", "conv_template": "gemma3_instruction"}


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def run(program: pathlib.Path, command: str, model: pathlib.Path, options: dict[str, Any]) -> None:
    flags = [
        word
        for name, value in options.items()
        for word in ("--" + name.replace("_", "-"), str(value))
    ]
    subprocess.run([program, command, model, *flags], check=True, capture_output=True)


def test_mlc_folder_is_the_command_lines(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    sizes = {
        "context_window_size": 1024,
        "prefill_chunk_size": 256,
        "max_batch_size": 4,
        "model_type": "gemma3",
    }
    run(program, "convert_weight", DEMO, {**CONVERT, "output": tmp_path / "expected"})
    run(program, "gen_config", DEMO, {**CONFIG, **sizes, "output": tmp_path / "expected"})
    assert carat.convert_weight(DEMO, output=tmp_path / "out", **CONVERT) == tmp_path / "out"
    path = carat.gen_config(DEMO / "config.json", output=tmp_path / "out", **CONFIG, **sizes)
    assert path == tmp_path / "out" / "mlc-chat-config.json"
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_weights_may_be_elsewhere(tmp_path: pathlib.Path) -> None:
    shutil.copyfile(DEMO / "config.json", tmp_path / "config.json")
    carat.convert_weight(tmp_path, source=DEMO, output=tmp_path / "out", **CONVERT)
    carat.convert_weight(DEMO, output=tmp_path / "expected", **CONVERT)
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


@pytest.mark.parametrize(
    "options",
    [
        {"format": "gguf", "quantization": "q4_0", "embedding_quantization": "q8_0"},
        {"format": "gguf"},
        {"format": "safetensors", "quantization": "q0f16"},
    ],
)
def test_exported_files_are_the_command_lines(
    program: pathlib.Path, tmp_path: pathlib.Path, options: dict[str, Any]
) -> None:
    for name in ("expected", "out"):
        (tmp_path / name).mkdir()
    run(program, "export", DEMO, {**options, "output": tmp_path / "expected" / "model"})
    assert (
        carat.export(DEMO, output=tmp_path / "out" / "model", **options)
        == tmp_path / "out" / "model"
    )
    assert contents(tmp_path / "out") == contents(tmp_path / "expected")


def test_warns_that_a_compiled_library_is_out_of_date(
    dist: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    for convert in (
        lambda output: carat.convert_weight(DEMO, output=output, **CONVERT),
        lambda output: carat.gen_config(DEMO, output=output, **CONFIG),
    ):
        output = shutil.copytree(dist, tmp_path / "out")
        with pytest.warns(UserWarning, match="out of date; compile it again") as warnings:
            convert(output)
        assert [warning.filename for warning in warnings] == [__file__]
        shutil.rmtree(output)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantization": "q4_0"}, "q4f16_1"),
        ({"source": "/nowhere"}, "/nowhere: does not exist"),
        ({"config": "/nowhere"}, "/nowhere: does not exist"),
    ],
)
def test_convert_weight_says_what_is_wrong(
    tmp_path: pathlib.Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(carat.Error, match=message):
        carat.convert_weight(
            **{"config": DEMO, "output": tmp_path / "new" / "out", **CONVERT, **options}
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantization": "q4_0"}, "q4f16_1"),
        ({"conv_template": "llama"}, "gemma3_instruction"),
        ({"model_type": "llama"}, "model_type is 'llama'"),
        ({"context_window_size": 4096}, "max_position_embeddings"),
        ({"context_window_size": 0}, "context_window_size is 0"),
        ({"prefill_chunk_size": -1}, "prefill_chunk_size is -1"),
        ({"max_batch_size": 0}, "max_batch_size is 0"),
        ({"max_batch_size": "many"}, "max_batch_size"),
    ],
)
def test_gen_config_says_what_is_wrong(
    tmp_path: pathlib.Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(carat.Error, match=message):
        carat.gen_config(
            **{"config": DEMO, "output": tmp_path / "new" / "out", **CONFIG, **options}
        )
    assert list(tmp_path.iterdir()) == []


def test_gen_config_leaves_no_empty_folder(tmp_path: pathlib.Path) -> None:
    model = shutil.copytree(DEMO, tmp_path / "model")
    (model / "tokenizer_config.json").unlink()
    (model / "vocab.json").mkdir()  # which cannot be copied
    (model / "tokenizer.json").unlink()
    with pytest.raises(carat.Error, match="vocab.json"):
        carat.gen_config(model, output=tmp_path / "new" / "out", **CONFIG)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "onnx"}, "format is 'onnx'"),
        ({"quantization": "q5_0"}, "q8_0"),
        ({"format": "safetensors", "quantization": "q4_0"}, "have no q4_0"),
        ({"format": "safetensors", "embedding_quantization": "q0f16"}, "embedding-quantization"),
        ({"model": "/nowhere"}, "/nowhere"),
        ({"output": ""}, "output is empty"),
    ],
)
def test_export_says_what_is_wrong(
    tmp_path: pathlib.Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(carat.Error, match=message):
        carat.export(**{"model": DEMO, "format": "gguf", "output": tmp_path / "a", **options})
    assert list(tmp_path.iterdir()) == []


def test_a_compiled_folder_is_not_exported(dist: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(carat.Error, match="give the model it was compiled from"):
        carat.export(dist, format="gguf", output=tmp_path / "a")


def long_work(
    output: pathlib.Path, name: str, model: pathlib.Path = DEMO
) -> Callable[..., pathlib.Path]:
    if name == "convert_weight":
        return lambda **more: carat.convert_weight(
            model, output=output / "new" / "out", **CONVERT, **more
        )
    return lambda **more: carat.export(model, format=name, output=output / "model", **more)  # type: ignore[arg-type]


LONG_WORK = pytest.mark.parametrize("name", ["convert_weight", "gguf", "safetensors"])


@LONG_WORK
def test_progress_goes_from_0_to_1(tmp_path: pathlib.Path, name: str) -> None:
    fractions: list[float] = []
    long_work(tmp_path, name)(progress=lambda step, fraction: fractions.append(fraction))
    assert fractions[0] == 0 and fractions[-1] == 1
    assert len(fractions) > 5 and fractions == sorted(fractions)


@LONG_WORK
def test_an_exception_in_a_callback_ends_the_work_and_leaves_nothing(
    tmp_path: pathlib.Path, name: str
) -> None:
    class EnoughError(Exception):
        pass

    def stop(step: str, fraction: float) -> None:
        if fraction > 0.3:
            raise EnoughError(step)

    with pytest.raises(EnoughError):
        long_work(tmp_path, name)(progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def large_model(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """models/demo with wider layers, whose weights are 0 and take no space: seconds of work."""
    wider, intermediate_size = 256, 512
    model = shutil.copytree(DEMO, tmp_path_factory.mktemp("large") / "model")
    config = json.loads((model / "config.json").read_text())
    assert config["intermediate_size"] == intermediate_size
    (model / "config.json").write_text(
        json.dumps({**config, "intermediate_size": wider * intermediate_size})
    )
    with (model / "model.safetensors").open("r+b") as file:
        tensors = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        end = 0
        for name, tensor in tensors.items():
            if name == "__metadata__":
                continue
            scale = wider if ".mlp." in name else 1
            tensor["shape"] = [
                size * scale if size == intermediate_size else size for size in tensor["shape"]
            ]
            tensor["data_offsets"] = [end, end + 2 * math.prod(tensor["shape"])]
            end = tensor["data_offsets"][1]
        header = json.dumps(tensors).encode()
        file.truncate(0)
        file.seek(0)
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + end)
    return model


@LONG_WORK
def test_ctrl_c_ends_the_work_and_leaves_nothing(
    tmp_path: pathlib.Path, large_model: pathlib.Path, name: str
) -> None:
    sent = 0.0

    def interrupt() -> None:
        nonlocal sent
        sent = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Timer(0.2, interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        long_work(tmp_path, name, large_model)(progress=False)
    assert sent > 0 and time.monotonic() - sent < 5
    assert list(tmp_path.iterdir()) == []
