"""Whether both programs compute the same: perplexity and greedy choices of one text."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from greedy import compare_greedy
from measure import Peers
from models import ModelPair
from pairs import Peer
from perplexity import (has_perplexity, perplexity_of_carat, perplexity_of_llama_cpp, save_logits)
from process import PeersError
from progress import Progress

# Of the text's beginning. For 4 chunks of 256 and a vocabulary of 262144 llama.cpp saves 0.3 GB.
GREEDY_CHUNKS = 4

STEPS = 3


@dataclass(frozen=True)
class Text:
    path: Path
    context: int  # tokens a chunk


def bos_token(checkpoint: Path) -> int:
    config = json.loads((checkpoint / "config.json").read_text())
    bos = config.get("bos_token_id", config.get("text_config", {}).get("bos_token_id"))
    if not isinstance(bos, int):
        raise PeersError(f"{checkpoint}/config.json: bos_token_id is missing")
    return bos


def compare_quality(peers: Peers, checkpoint: Path, model: ModelPair, text: Text, num_threads: int,
                    cache: Path, progress: Progress) -> dict:
    """An entry of peers.json's "quality". Takes STEPS steps of `progress`."""
    name = model.quantization.name
    perplexity: dict[str, dict | None] = {}
    progress.step(f"{name}: perplexity by llama.cpp")
    perplexity[Peer.LLAMA_CPP.value] = perplexity_of_llama_cpp(
        peers.llama_cpp, model.gguf, text.path, text.context, num_threads)
    progress.step(f"{name}: perplexity by Carat")
    if has_perplexity(peers.carat):
        perplexity[Peer.CARAT.value] = perplexity_of_carat(
            peers.carat, model.compiled, text.path, text.context, num_threads)
    else:
        progress.say(f"left out: {peers.carat} has no command 'perplexity'")
    progress.step(f"{name}: greedy choices")
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        saved = Path(scratch) / "llama.cpp.logits"
        save_logits(peers.llama_cpp, model.gguf, text.path, text.context, num_threads,
                    GREEDY_CHUNKS, saved)
        greedy = compare_greedy(peers.carat, model.compiled, saved, bos_token(checkpoint),
                                Path(scratch), progress.detail)
    return {"quantization": name, "text": text.path.name, "context": text.context,
            "perplexity": perplexity, "greedy": greedy}
