"""What MLC-LLM's own Python makes of Gemma 3 configs, for the tests of mlc_*.

    python3 make.py MLC_LLM    # a clone of github.com/mlc-ai/mlc-llm; nothing in it is compiled
                               # pip install apache-tvm numpy pydantic tqdm

Writes for every folder beside itself with a config.json mlc-chat-config.json, and
parameters.txt: names, types, shapes and sources of the parameters of folder `text`. Writes
converted.txt: the md5sums of the shards that convert_weight makes of models/demo.
"""

import json
import struct
import sys
import tempfile
import types
from dataclasses import dataclass
from pathlib import Path


@dataclass
class TokenizerInfo:
    """MLC finds it out in C++. No folder here has a tokenizer.json: these are its defaults."""

    token_postproc_method: str = "byte_fallback"
    prepend_space_in_encode: bool = False
    strip_space_in_decode: bool = False


def import_mlc(clone):
    """The package without its __init__, which would load the compiled library."""
    package = types.ModuleType("mlc_llm")
    package.__path__ = [str(Path(clone) / "python" / "mlc_llm")]
    tokenizers = types.ModuleType("mlc_llm.tokenizers")
    tokenizers.Tokenizer = types.SimpleNamespace(detect_tokenizer_info=lambda _: TokenizerInfo())
    sys.modules.update({"mlc_llm": package, "mlc_llm.tokenizers": tokenizers})

    import tvm.relax
    from tvm.relax.frontend import nn

    if not hasattr(tvm.relax, "Constant"):  # of releases before the one that MLC is written for
        tvm.relax.Constant = object
    # Only the names and shapes of the parameters are asked for.
    nn.Module.export_tvm = lambda self, **_: (None, list(self.named_parameters()), None)


def write_chat_config(folder, options):
    from mlc_llm.interface.gen_config import gen_config
    from mlc_llm.model import MODELS
    from mlc_llm.quantization import QUANTIZATION

    config = folder / "config.json"
    model = MODELS[json.loads(config.read_text())["model_type"]]
    quantization = QUANTIZATION[options.get("quantization", "q4f16_1")]
    template = options.get("conv_template", "gemma3_instruction")
    sizes = [options.get(f"{name}_size") for name in ("context_window", "sliding_window", "prefill_chunk")]
    gen_config(config, model, quantization, template, *sizes, None, None, None, None,
               options.get("max_batch_size", 128), folder)


def write_parameters(folder):
    from mlc_llm.model import MODELS
    from mlc_llm.quantization import QUANTIZATION

    model = MODELS["gemma3_text"]
    with (folder / "parameters.txt").open("w") as out:
        for name in ("q4f16_1", "q4f32_1", "q0f16", "q0f32"):
            quantization = QUANTIZATION[name]
            config = model.config.from_file(folder / "config.json")
            quantized, _ = model.quantize[quantization.kind](config, quantization)
            for parameter, tensor in quantized.named_parameters():
                shape = [config.vocab_size if str(d) == "vocab_size" else int(d) for d in tensor.shape]
                dtype = str(tensor.dtype)
                out.write(f"{name} {parameter} {dtype} {','.join(map(str, shape))}\n")
        config = model.config.from_file(folder / "config.json")
        sources = model.source["huggingface-safetensor"](config, QUANTIZATION["q0f16"]).param_map
        for parameter in sorted(sources):
            out.write(f"sources {parameter} {' '.join(sources[parameter])}\n")


def read_safetensors(path):
    """In the order that the safetensors package has, without torch."""
    import ml_dtypes
    import numpy as np

    data = path.read_bytes()
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:begin])
    header.pop("__metadata__", None)
    for name in sorted(header):
        first, last = (begin + offset for offset in header[name]["data_offsets"])
        assert header[name]["dtype"] == "BF16"
        values = np.frombuffer(data[first:last], dtype=ml_dtypes.bfloat16)
        yield name, values.reshape(header[name]["shape"])


def write_md5sums(checkpoint, out):
    import tvm
    from mlc_llm.interface import convert_weight
    from mlc_llm.loader import huggingface_loader
    from mlc_llm.model import MODELS
    from mlc_llm.quantization import QUANTIZATION

    huggingface_loader.load_safetensor_shard = read_safetensors
    convert_weight.ConversionArgs.display = lambda _: None
    for name in ("q4f16_1", "q4f32_1", "q0f16", "q0f32"):
        with tempfile.TemporaryDirectory() as folder:
            convert_weight.convert_weight(
                checkpoint / "config.json", QUANTIZATION[name], MODELS["gemma3_text"], tvm.cpu(0),
                checkpoint / "model.safetensors", "huggingface-safetensor", Path(folder))
            index = json.loads((Path(folder) / "tensor-cache.json").read_text())
        for shard in index["records"]:
            out.write(f"{name} {shard['dataPath']} {shard['md5sum']}\n")


def main():
    import_mlc(sys.argv[1])
    here = Path(__file__).parent
    for folder in sorted(path.parent for path in here.glob("*/config.json")):
        options = folder / "options.json"
        write_chat_config(folder, json.loads(options.read_text()) if options.exists() else {})
    write_parameters(here / "text")
    with (here / "converted.txt").open("w") as out:
        write_md5sums(here.parents[2] / "models" / "demo", out)


if __name__ == "__main__":
    main()
